package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/oci"
)

// annotated is a referrer with annotations of its manifest.
func annotated(tb testing.TB, subject v1.ImageIndex, artifactType, note string) v1.Image {
	tb.Helper()
	a := newReferrer(tb, subject, artifactType).(*artifact)
	a.annotations = map[string]string{"org.example.note": note}
	return a
}

// listing returns what the fallback tag of subject names.
func listing(tb testing.TB, repo string, subject v1.Hash) (fields map[string]any, all []v1.Descriptor) {
	tb.Helper()
	host, name, _ := strings.Cut(repo, "/")
	resp, err := http.Get("http://" + host + "/v2/" + name + "/manifests/" + oci.FallbackTag(subject))
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	var m v1.IndexManifest
	if err := errors.Join(json.Unmarshal(raw, &fields), json.Unmarshal(raw, &m)); err != nil {
		tb.Fatalf("%v: %s", err, raw)
	}
	return fields, m.Manifests
}

// TestFallbackTag holds the list to the referrers tag schema.
func TestFallbackTag(t *testing.T) {
	repo := serve(t, plain()) + "/x"
	idx := newIndex(t, "a")
	subject := digestOf(t, idx)
	sbom := annotated(t, idx, "application/spdx+json", "ours")
	must(quick().Push(t.Context(), repo, Publication{Set: oci.Set{Index: idx, Referrers: []v1.Image{sbom}}}))
	fields, all := listing(t, repo, subject)
	want := []v1.Descriptor{must(imageManifest(sbom)).listed}
	if diff := cmp.Diff(all, want); diff != "" || fields["mediaType"] != string(types.OCIImageIndex) || fields["schemaVersion"] != 2.0 {
		t.Errorf("the list is %v (-got +want):\n%s", fields, diff)
	}
	if want[0].ArtifactType != "application/spdx+json" || want[0].Annotations["org.example.note"] != "ours" {
		t.Errorf("the entry is %+v", want[0])
	}

	t.Run("what strangers wrote stays", func(t *testing.T) {
		stranger := must(imageManifest(newReferrer(t, idx, "application/vnd.example"))).listed
		entry := fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d,"artifactType":"application/vnd.example","x-theirs":1}`, stranger.MediaType, stranger.Digest, stranger.Size)
		// Ours is listed by a tool that knows neither artifactType nor annotations.
		mine := fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, want[0].MediaType, want[0].Digest, want[0].Size)
		list := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s,%s],"annotations":{"a":"b"}}`, types.OCIImageIndex, entry, mine)
		must(quick().Push(t.Context(), repo, Publication{Set: oci.Set{Index: idx, Referrers: []v1.Image{newReferrer(t, idx, "application/vnd.example")}}}))
		put(t, repo, oci.FallbackTag(subject), list)
		must(quick().Push(t.Context(), repo, Publication{Set: oci.Set{Index: idx, Referrers: []v1.Image{sbom}}}))
		fields, all := listing(t, repo, subject)
		byDigest := []v1.Descriptor{stranger, want[0]}
		slices.SortFunc(byDigest, func(a, b v1.Descriptor) int { return strings.Compare(a.Digest.String(), b.Digest.String()) })
		if diff := cmp.Diff(all, byDigest); diff != "" || fmt.Sprint(fields["annotations"]) != "map[a:b]" || !strings.Contains(fmt.Sprint(fields), "x-theirs:1") {
			t.Errorf("the list is %v (-got +want):\n%s", fields, diff)
		}
	})
	t.Run("something else is there", func(t *testing.T) {
		other := newIndex(t, "other")
		must(quick().Push(t.Context(), repo, Publication{Set: oci.Set{Images: []v1.Image{must(other.Image(must(other.IndexManifest()).Manifests[0].Digest))}}, Moving: []string{oci.FallbackTag(subject)}}))
		_, err := quick().Push(t.Context(), repo, Publication{Set: oci.Set{Index: idx, Referrers: []v1.Image{sbom}}})
		checkError(t, err, "remove the tag "+oci.FallbackTag(subject)+" from the repository")
	})
}

func put(tb testing.TB, repo, tag, manifest string) {
	tb.Helper()
	host, name, _ := strings.Cut(repo, "/")
	req, err := http.NewRequest(http.MethodPut, "http://"+host+"/v2/"+name+"/manifests/"+tag, strings.NewReader(manifest))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", string(types.OCIImageIndex))
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusCreated {
		tb.Fatalf("%v, %v", resp, err)
	}
	resp.Body.Close()
}

// TestFallbackTagRace lets publishers attach to one image at the same time.
func TestFallbackTagRace(t *testing.T) {
	const publishers = 8
	for _, tc := range []struct {
		name string
		next http.Handler
	}{
		{"a registry without conditions", plain()},
		{"a registry that heeds If-Match", &conditional{next: plain()}},
		{"a registry that misunderstands If-Match", &conditional{next: plain(), refuse: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &recording{next: tc.next}
			r.fault = func(_ http.ResponseWriter, req *http.Request) bool {
				if strings.Contains(req.URL.Path, "/manifests/sha256-") {
					time.Sleep(time.Millisecond)
				}
				return false
			}
			repo := serve(t, r) + "/x"
			idx := newIndex(t, "a")
			must(quick().Push(t.Context(), repo, Publication{Set: oci.Set{Index: idx}}))
			tag := oci.SignatureTag(digestOf(t, idx))
			var wg sync.WaitGroup
			var want []string
			for i := range publishers {
				ref := newReferrer(t, idx, fmt.Sprint("application/vnd.example.", i))
				want = append(want, digestOf(t, ref).String())
				legacy := newIndexImage(t, fmt.Sprint("signature ", i))
				wg.Go(func() {
					p := Publication{Set: oci.Set{Index: idx, Referrers: []v1.Image{ref}, Legacy: map[string]v1.Image{tag: legacy}}}
					if _, err := quick().Push(t.Context(), repo, p); err != nil {
						t.Errorf("Push() = %v", err)
					}
				})
			}
			wg.Wait()
			var got []string
			for _, d := range must(quick().Referrers(t.Context(), repo, digestOf(t, idx))) {
				got = append(got, d.Digest.String())
			}
			slices.Sort(want)
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("referrers (-got +want):\n%s", diff)
			}
			sig := must(quick().Collect(t.Context(), repo+"@"+digestOf(t, idx).String())).Legacy[tag]
			if layers := must(sig.Layers()); len(layers) != publishers {
				t.Errorf("%d layers of evidence, want %d", len(layers), publishers)
			}
		})
	}
}

// conditional sends ETags and supports If-Match, or refuses every request with it.
type conditional struct {
	next   http.Handler
	refuse bool
	mu     sync.Mutex
}

func (c *conditional) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !strings.Contains(req.URL.Path, "/manifests/sha256-") {
		c.next.ServeHTTP(w, req)
		return
	}
	now := &recorder{header: http.Header{}, status: http.StatusOK}
	get := req.Clone(req.Context())
	get.Method = http.MethodGet
	c.next.ServeHTTP(now, get)
	etag := `"` + now.header.Get("Docker-Content-Digest") + `"`
	if want := req.Header.Get("If-Match"); req.Method == http.MethodPut && want != "" && (c.refuse || want != etag) {
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	if req.Method == http.MethodGet && now.status == http.StatusOK {
		w.Header().Set("ETag", etag)
	}
	c.next.ServeHTTP(w, req)
}

// TestGitLab: GitLab resolves a fallback tag that does not exist to the subject.
func TestGitLab(t *testing.T) {
	next := plain()
	repo := serve(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		before, hex, ok := strings.Cut(req.URL.Path, "/manifests/sha256-")
		if ok && len(hex) == 64 && req.Method != http.MethodPut {
			got := &recorder{header: http.Header{}, status: http.StatusOK}
			next.ServeHTTP(got, req)
			if got.status == http.StatusNotFound {
				req.URL.Path = before + "/manifests/sha256:" + hex
			}
		}
		next.ServeHTTP(w, req)
	})) + "/x"
	p := publication(t, "a")
	must(quick().Push(t.Context(), repo, Publication{Set: oci.Set{Index: p.Index}}))
	if all, err := quick().Referrers(t.Context(), repo, digestOf(t, p.Index)); err != nil || len(all) != 0 {
		t.Errorf("Referrers() before = %v, %v", all, err)
	}
	must(quick().Push(t.Context(), repo, p))
	if all, err := quick().Referrers(t.Context(), repo, digestOf(t, p.Index)); err != nil || len(all) != 2 {
		t.Errorf("Referrers() = %v, %v", all, err)
	}
}

// TestDropped takes referrers and forgets them: with the API, and with a
// fallback tag that never names what was put there.
func TestDropped(t *testing.T) {
	const empty = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`
	for _, tc := range []struct{ name, part string }{
		{"by the API", "/referrers/"},
		{"by the tag", "/manifests/sha256-"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			next := plain()
			repo := serve(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.Method == http.MethodGet && strings.Contains(req.URL.Path, tc.part) && !strings.HasSuffix(req.URL.Path, ".sig") {
					w.Header().Set("Content-Type", string(types.OCIImageIndex))
					fmt.Fprint(w, empty)
					return
				}
				next.ServeHTTP(w, req)
			})) + "/x"
			_, err := quick().Push(t.Context(), repo, publication(t, "a"))
			checkError(t, err, hintOf(droppedError(v1.Hash{}, v1.Hash{})))
			if !strings.Contains(err.Error(), "does not list it") {
				t.Errorf("Push() = %v", err)
			}
			if got := tagsOf(t, repo); len(got) != 0 {
				t.Errorf("tags are %v", got)
			}
		})
	}
}

// TestReferrersPages follows the header Link.
func TestReferrersPages(t *testing.T) {
	h := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("a", 64)}
	entry := func(c string) string {
		return fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":2,"digest":"sha256:%s"}`, strings.Repeat(c, 64))
	}
	repo := serve(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !strings.Contains(req.URL.Path, "/referrers/") {
			return
		}
		page := req.URL.Query().Get("last")
		if page != "b" {
			next := map[string]string{"": "a", "a": "b"}[page]
			w.Header().Set("Link", fmt.Sprintf(`<%s?last=%s&n=1>; rel="next"`, req.URL.Path, next))
		}
		w.Header().Set("Content-Type", string(types.OCIImageIndex)+"; charset=utf-8")
		fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[%s]}`, entry(map[string]string{"": "0", "a": "1", "b": "2"}[page]))
	})) + "/x"
	all, err := quick().Referrers(t.Context(), repo, h)
	if err != nil || len(all) != 3 || all[2].Digest.Hex[0] != '2' {
		t.Errorf("Referrers() = %v, %v", all, err)
	}
}

// TestPushRepairs finds a manifest there whose blob is lost.
func TestPushRepairs(t *testing.T) {
	p := publication(t, "a")
	img := must(p.Index.Image(must(p.Index.IndexManifest()).Manifests[0].Digest))
	lost := must(img.Manifest()).Layers[0].Digest.String()
	there := false
	next := Memory()
	r := &recording{next: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/blobs/"+lost) && !there {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if req.Method == http.MethodPut && req.URL.Query().Get("digest") == lost {
			there = true
		}
		next.ServeHTTP(w, req)
	})}
	repo := serve(t, r) + "/x"
	must(quick().Push(t.Context(), repo, p))
	there = false
	if _, err := quick().Push(t.Context(), repo, p); err != nil || !there {
		t.Errorf("Push() = %v, the blob is there: %t", err, there)
	}
}
