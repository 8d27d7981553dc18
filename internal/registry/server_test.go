package registry

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/oracle"
)

// dist is a folder with pgvector (tags a and b, an SBOM) and geo/postgis.
func dist(tb testing.TB) (dir string, idx v1.ImageIndex, sbom v1.Image) {
	tb.Helper()
	dir = tb.TempDir()
	idx = newIndex(tb, "vector")
	sbom = newReferrer(tb, idx, "application/spdx+json")
	p := writeLayout(tb, dir, "pgvector", idx, "a", "b")
	if err := p.WriteImage(sbom); err != nil {
		tb.Fatal(err)
	}
	h := digestOf(tb, sbom)
	size, err := sbom.Size()
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.AppendDescriptor(v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: h, Size: size}); err != nil {
		tb.Fatal(err)
	}
	writeLayout(tb, dir, "geo/postgis", newIndex(tb, "gis"), "c")
	return dir, idx, sbom
}

func writeLayout(tb testing.TB, dir, image string, idx v1.ImageIndex, tags ...string) layout.Path {
	tb.Helper()
	p, err := layout.Write(filepath.Join(dir, image, "oci"), empty.Index)
	if err != nil {
		tb.Fatal(err)
	}
	for _, tag := range tags {
		if err := p.AppendIndex(idx, layout.WithAnnotations(map[string]string{oci.RefName: tag})); err != nil {
			tb.Fatal(err)
		}
	}
	return p
}

func serveDist(tb testing.TB, dir string) string {
	tb.Helper()
	s, err := NewServer(dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return serve(tb, s)
}

func TestServerAnswers(t *testing.T) {
	dir, idx, sbom := dist(t)
	index, referrer := digestOf(t, idx).String(), digestOf(t, sbom).String()
	none := "sha256:" + strings.Repeat("0", 64)
	m, err := idx.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	img, err := idx.Image(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	base := "http://" + serveDist(t, dir)
	for _, tc := range []struct {
		request string // method, path, header
		status  int
		headers map[string]string
		body    string // prefix
	}{
		{"GET /v2/", 200, map[string]string{"Docker-Distribution-Api-Version": "registry/2.0"}, "{}"},
		{"GET /v2/_catalog", 200, nil, `{"repositories":["geo/postgis","pgvector"]}`},
		{"GET /v2/_catalog?n=1", 200, map[string]string{"Link": `</v2/_catalog?last=geo%2Fpostgis&n=1>; rel="next"`}, `{"repositories":["geo/postgis"]}`},
		{"GET /v2/pgvector/tags/list", 200, nil, `{"name":"pgvector","tags":["a","b"]}`},
		{"GET /v2/pgvector/tags/list?last=a", 200, nil, `{"name":"pgvector","tags":["b"]}`},
		{"GET /v2/pgvector/tags/list?n=0", 200, map[string]string{"Link": ""}, `{"name":"pgvector","tags":[]}`},
		{"GET /v2/pgvector/tags/list?n=x", 400, nil, `{"errors":[{"code":"PAGINATION_NUMBER_INVALID"`},
		{"GET /v2/geo/postgis/tags/list", 200, nil, `{"name":"geo/postgis","tags":["c"]}`},
		{"GET /v2/pgvector/manifests/a", 200, map[string]string{"Content-Type": string(types.OCIImageIndex), "Docker-Content-Digest": index}, `{"schemaVersion":2`},
		{"HEAD /v2/pgvector/manifests/" + index, 200, map[string]string{"Content-Type": string(types.OCIImageIndex), "Docker-Content-Digest": index}, ""},
		{"GET /v2/pgvector/manifests/" + m.Manifests[0].Digest.String(), 200, map[string]string{"Content-Type": string(types.OCIManifestSchema1)}, `{"schemaVersion":2`},
		{"GET /v2/pgvector/manifests/z", 404, nil, `{"errors":[{"code":"MANIFEST_UNKNOWN"`},
		{"GET /v2/pgvector/manifests/" + none, 404, nil, `{"errors":[{"code":"MANIFEST_UNKNOWN"`},
		{"GET /v2/pgvector/manifests/" + config.String(), 404, nil, `{"errors":[{"code":"MANIFEST_UNKNOWN"`},
		{"GET /v2/nothing/manifests/a", 404, nil, `{"errors":[{"code":"NAME_UNKNOWN"`},
		{"GET /v2/pgvector/blobs/" + config.String(), 200, map[string]string{"Content-Type": "application/octet-stream", "Docker-Content-Digest": config.String()}, `{"architecture":"amd64"`},
		{"GET /v2/pgvector/blobs/" + config.String() + " Range: bytes=1-5", 206, map[string]string{"Content-Length": "5"}, `"arch`},
		{"GET /v2/pgvector/blobs/" + config.String() + " Range: bytes=99999-", 416, nil, ""},
		{"GET /v2/pgvector/blobs/" + none, 404, nil, `{"errors":[{"code":"BLOB_UNKNOWN"`},
		{"GET /v2/pgvector/blobs/sha256:../../../secret", 400, nil, ""},
		{"GET /v2/pgvector/blobs/sha256:xyz", 400, nil, `{"errors":[{"code":"DIGEST_INVALID"`},
		{"GET /v2/pgvector/blobs/%2e%2e%2f%2e%2e%2fsecret", 400, nil, ""},
		{"GET /v2/../pgvector/tags/list", 400, nil, `{"errors":[{"code":"NAME_INVALID"`},
		{"GET /v2/UPPER/tags/list", 400, nil, `{"errors":[{"code":"NAME_INVALID"`},
		{"GET /v2/pgvector/referrers/" + index, 200, map[string]string{"Content-Type": string(types.OCIImageIndex), "Oci-Filters-Applied": ""}, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json"`},
		{"GET /v2/pgvector/referrers/" + index + "?artifactType=x", 200, map[string]string{"Oci-Filters-Applied": "artifactType"}, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`},
		{"GET /v2/pgvector/referrers/" + referrer, 200, nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`},
		{"GET /v2/pgvector/referrers/x", 400, nil, `{"errors":[{"code":"DIGEST_INVALID"`},
		{"GET /v2/pgvector/other/x", 404, nil, `{"errors":[{"code":"UNSUPPORTED"`},
		{"GET /", 404, nil, `{"errors":[{"code":"UNSUPPORTED"`},
		{"POST /v2/pgvector/blobs/uploads/", 405, map[string]string{"Allow": "GET, HEAD"}, `{"errors":[{"code":"UNSUPPORTED"`},
		{"PUT /v2/pgvector/manifests/a", 405, nil, `{"errors":[{"code":"UNSUPPORTED"`},
		{"DELETE /v2/pgvector/manifests/a", 405, nil, `{"errors":[{"code":"UNSUPPORTED"`},
	} {
		t.Run(tc.request, func(t *testing.T) {
			parts := strings.SplitN(tc.request, " ", 3)
			req, err := http.NewRequest(parts[0], base+parts[1], nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(parts) == 3 {
				key, value, _ := strings.Cut(parts[2], ": ")
				req.Header.Set(key, value)
			}
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tc.status || !strings.HasPrefix(string(body), tc.body) || strings.Contains(string(body), "secret") {
				t.Errorf("%d %s, want %d %s", resp.StatusCode, body, tc.status, tc.body)
			}
			for key, want := range tc.headers {
				if got := resp.Header.Get(key); got != want {
					t.Errorf("%s: %q, want %q", key, got, want)
				}
			}
		})
	}
}

func TestServerPulls(t *testing.T) {
	dir, idx, sbom := dist(t)
	host := serveDist(t, dir)
	got, err := quick().Resolve(t.Context(), host+"/pgvector:a")
	if err != nil || got.Digest != digestOf(t, idx) {
		t.Fatalf("Resolve() = %+v, %v", got, err)
	}
	if err := validate.Index(got.Index); err != nil {
		t.Errorf("validate.Index() = %v", err)
	}
	all, err := quick().Referrers(t.Context(), host+"/pgvector", got.Digest)
	if err != nil || len(all) != 1 || all[0].Digest != digestOf(t, sbom) || all[0].ArtifactType != "application/spdx+json" {
		t.Errorf("Referrers() = %+v, %v", all, err)
	}
	t.Run("what a build adds is there", func(t *testing.T) {
		writeLayout(t, dir, "pgaudit", idx, "new")
		if got, err := quick().Resolve(t.Context(), host+"/pgaudit:new"); err != nil || got.Digest != digestOf(t, idx) {
			t.Errorf("Resolve() = %+v, %v", got, err)
		}
	})
	t.Run("nothing can be pushed", func(t *testing.T) {
		_, err := quick().Push(t.Context(), host+"/pgvector", Publication{Set: oci.Set{Index: newIndex(t, "other")}, Moving: []string{"a"}})
		checkError(t, err, "")
	})
	t.Run("damage", func(t *testing.T) {
		file := filepath.Join(dir, "geo/postgis/oci/index.json")
		if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		c := New(Options{Attempts: 1})
		_, err := c.Resolve(t.Context(), host+"/geo/postgis:c")
		checkError(t, err, "the registry has a problem: run the command again later: it continues")
	})
}

func TestSkopeo(t *testing.T) {
	skopeo := oracle.Need(t, "skopeo")
	dir, idx, _ := dist(t)
	source := "docker://" + serveDist(t, dir) + "/pgvector:a"
	out, err := exec.Command(skopeo, "inspect", "--tls-verify=false", source).CombinedOutput()
	if err != nil {
		t.Fatalf("skopeo inspect: %v\n%s", err, out)
	}
	var got struct {
		Digest   string
		RepoTags []string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got.Digest != digestOf(t, idx).String() || !cmp.Equal(got.RepoTags, []string{"a", "b"}) {
		t.Errorf("skopeo inspect: %s", out)
	}
	for _, target := range []string{"oci:" + t.TempDir() + ":x", "docker://" + serve(t, Memory()) + "/copy:x"} {
		out, err := exec.Command(skopeo, "copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", source, target).CombinedOutput()
		if err != nil {
			t.Errorf("skopeo copy to %s: %v\n%s", target, err, out)
		}
	}
}

func TestMemoryReferrers(t *testing.T) {
	host := serve(t, Memory())
	p := publication(t, "a")
	must(quick().Push(t.Context(), host+"/x", p))
	resp, err := http.Get("http://" + host + "/v2/x/referrers/" + digestOf(t, p.Index).String() + "?artifactType=application/spdx%2Bjson")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var m v1.IndexManifest
	if err := json.NewDecoder(resp.Body).Decode(&m); err != nil {
		t.Fatal(err)
	}
	if len(m.Manifests) != 1 || m.Manifests[0].Digest != digestOf(t, p.Referrers[0]) || resp.Header.Get("OCI-Filters-Applied") != "artifactType" {
		t.Errorf("referrers = %+v, %v", m.Manifests, resp.Header)
	}
}

// FuzzServer asks for any path: the folder beside the layouts stays closed.
func FuzzServer(f *testing.F) {
	dir, idx, _ := dist(f)
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600); err != nil {
		f.Fatal(err)
	}
	server, err := NewServer(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { server.Close() })
	f.Add("GET", "/v2/pgvector/manifests/a", "n=1")
	f.Add("GET", "/v2/pgvector/blobs/sha256:../../../secret", "")
	f.Add("HEAD", "/v2/pgvector/referrers/"+digestOf(f, idx).String(), "artifactType=x")
	f.Add("GET", "/v2/_catalog", "last=a&n=-1")
	f.Fuzz(func(t *testing.T, method, path, query string) {
		r := &recorder{header: http.Header{}, status: http.StatusOK}
		server.ServeHTTP(r, &http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{}})
		if r.status >= http.StatusInternalServerError || r.body.String() == "secret" {
			t.Errorf("%s %q?%q = %d %s", method, path, query, r.status, r.body.String())
		}
	})
}
