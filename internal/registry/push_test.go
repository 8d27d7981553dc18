package registry

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/registry/registrytest"
)

// publication is an image with an SBOM, a signature of it, and a legacy tag.
func publication(tb testing.TB, text string) Publication {
	tb.Helper()
	idx := newIndex(tb, text)
	sbom := newReferrer(tb, idx, "application/spdx+json")
	return Publication{
		Set: oci.Set{
			Index:     idx,
			Referrers: []v1.Image{sbom, newReferrer(tb, sbom, "application/vnd.dev.sigstore.bundle.v0.3+json")},
			Legacy:    map[string]v1.Image{oci.SignatureTag(digestOf(tb, idx)): newReferrer(tb, idx, "application/vnd.dev.cosign.simplesigning.v1+json")},
		},
		Moving: []string{"1-18-trixie"}, Immutable: []string{"1-202603011200-18-trixie"},
	}
}

// tagsOf returns tag=digest for the image's own tags.
func tagsOf(tb testing.TB, repo string) []string {
	tb.Helper()
	r, err := name.NewRepository(repo)
	if err != nil {
		tb.Fatal(err)
	}
	tags, err := remote.List(r)
	if err != nil {
		return nil
	}
	var out []string
	for _, tag := range tags {
		if strings.HasPrefix(tag, "sha256-") {
			continue
		}
		d, err := remote.Head(r.Tag(tag))
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, tag+"="+d.Digest.String())
	}
	return out
}

func TestPush(t *testing.T) {
	for _, tc := range []struct {
		name string
		host func(*testing.T) string
	}{
		{"registry with referrers", func(t *testing.T) string { t.Helper(); return serve(t, Memory()) }},
		{"registry without", func(t *testing.T) string { t.Helper(); return serve(t, plain()) }},
		{"docker-registry", func(t *testing.T) string { t.Helper(); return registrytest.Docker(t) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			repo := tc.host(t) + "/ext/pgvector"
			p := publication(t, "a")
			digest, err := quick().Push(t.Context(), repo, p)
			if err != nil || digest != digestOf(t, p.Index) {
				t.Fatalf("Push() = %v, %v; want %v", digest, err, digestOf(t, p.Index))
			}
			want := []string{"1-18-trixie=" + digest.String(), "1-202603011200-18-trixie=" + digest.String()}
			if diff := cmp.Diff(tagsOf(t, repo), want); diff != "" {
				t.Errorf("tags (-got +want):\n%s", diff)
			}
			got, err := quick().Resolve(t.Context(), repo+":1-18-trixie")
			if err != nil || got.Digest != digest || got.Index == nil {
				t.Fatalf("Resolve() = %+v, %v", got, err)
			}
			if err := validate.Index(got.Index); err != nil {
				t.Errorf("validate.Index() = %v", err)
			}
			images := must(quick().Collect(t.Context(), repo+":1-18-trixie")).Referrers
			if len(images) != 3 { // the signature is of the SBOM
				t.Fatalf("%d referrers: %v", len(images), images)
			}
			var types []string
			for _, d := range must(quick().Referrers(t.Context(), repo, digest)) {
				types = append(types, d.ArtifactType)
			}
			slices.Sort(types)
			if diff := cmp.Diff(types, []string{"application/spdx+json", "application/vnd.dev.cosign.simplesigning.v1+json"}); diff != "" {
				t.Errorf("referrers (-got +want):\n%s", diff)
			}
			t.Run("to another repository, as it was", func(t *testing.T) {
				again, err := quick().Push(t.Context(), repo+"-copy", Publication{Set: oci.Set{Index: got.Index, Referrers: images}, Moving: []string{"x"}})
				if err != nil || again != digest {
					t.Errorf("Push() = %v, %v; want %v", again, err, digest)
				}
			})
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestPushTwice(t *testing.T) {
	r := &recording{next: Memory()}
	repo := serve(t, r) + "/pgvector"
	p := publication(t, "a")
	first := must(quick().Push(t.Context(), repo, p))
	r.reset(nil)
	if again := must(quick().Push(t.Context(), repo, publication(t, "a"))); again != first {
		t.Errorf("the second digest is %v, the first %v", again, first)
	}
	for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodPut} {
		if n := r.requests(method, ""); n != 0 {
			t.Errorf("the second push makes %d %s requests: %q", n, method, r.log)
		}
	}
}

func TestPushReferrers(t *testing.T) {
	repo := serve(t, Memory()) + "/pgvector"
	p := publication(t, "a")
	p.Referrers = append(p.Referrers, p.Referrers[0], p.Referrers[0]) // some are made twice
	must(quick().Push(t.Context(), repo, p))
	p.Referrers = append(p.Referrers, newIndexImage(t, "no referrer"))
	_, err := quick().Push(t.Context(), repo, p)
	checkError(t, err, "")
}

func TestPushOrder(t *testing.T) {
	r := &recording{next: Memory()}
	repo := serve(t, r) + "/pgvector"
	p := publication(t, "a")
	must(quick().Push(t.Context(), repo, p))
	at := func(method, part string) (first, last int) {
		first = -1
		for i, line := range r.log {
			if strings.HasPrefix(line, method) && strings.Contains(line, part) {
				if first < 0 {
					first = i
				}
				last = i
			}
		}
		return first, last
	}
	index := "/manifests/" + digestOf(t, p.Index).String()
	_, lastBlob := at("PATCH", "")
	putIndex, _ := at("PUT", index)
	readIndex, _ := at("GET", index)
	_, lastReferrer := at("PUT", "/manifests/"+digestOf(t, p.Referrers[1]).String())
	immutable, _ := at("PUT", "/manifests/1-202603011200-18-trixie")
	moving, _ := at("PUT", "/manifests/1-18-trixie")
	order := []int{putIndex, lastReferrer, readIndex, immutable, moving}
	if !slices.IsSorted(order) || order[0] < 0 || lastBlob > readIndex {
		t.Errorf("index, referrers, read back, immutable, moving at %v, last blob at %d:\n%s", order, lastBlob, strings.Join(r.log, "\n"))
	}
}

func TestPushJobs(t *testing.T) {
	r := &recording{next: Memory()}
	repo := serve(t, r) + "/pgvector"
	r.reset(func(http.ResponseWriter, *http.Request) bool { time.Sleep(2 * time.Millisecond); return false })
	for _, jobs := range []int{1, 3} {
		r.peak = 0
		p := Publication{Set: oci.Set{Index: newIndex(t, fmt.Sprint("jobs", jobs))}, Moving: []string{"x"}}
		if _, err := New(Options{Jobs: jobs}).Push(t.Context(), repo, p); err != nil {
			t.Fatal(err)
		}
		if r.peak > jobs || jobs > 1 && r.peak < 2 {
			t.Errorf("with %d jobs there were %d requests at once", jobs, r.peak)
		}
	}
}

// TestPushRetries lets one kind of request fail twice, then work.
func TestPushRetries(t *testing.T) {
	for _, tc := range []struct {
		name, method, part string
		status             int
	}{
		{"limited", http.MethodHead, "/blobs/", http.StatusTooManyRequests},
		{"upload begins", http.MethodPost, "/blobs/uploads", http.StatusServiceUnavailable},
		{"bytes", http.MethodPatch, "/blobs/uploads", http.StatusBadGateway},
		{"commit", http.MethodPut, "/blobs/uploads", http.StatusGatewayTimeout},
		{"manifest", http.MethodPut, "/manifests/", http.StatusInternalServerError},
		{"tag", http.MethodPut, "/manifests/1-18", http.StatusServiceUnavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &recording{next: Memory(), fault: times(2, tc.method, tc.part, tc.status)}
			repo := serve(t, r) + "/pgvector"
			if _, err := quick().Push(t.Context(), repo, publication(t, "a")); err != nil {
				t.Errorf("Push() = %v", err)
			}
			if got := tagsOf(t, repo); len(got) != 2 {
				t.Errorf("tags are %v", got)
			}
		})
	}
	t.Run("resets", func(t *testing.T) {
		for _, method := range []string{http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodPut} {
			left := 2
			r := &recording{next: Memory()}
			r.fault = func(_ http.ResponseWriter, req *http.Request) bool {
				r.mu.Lock()
				broken := req.Method == method && left > 0
				if broken {
					left--
				}
				r.mu.Unlock()
				if broken {
					panic(http.ErrAbortHandler)
				}
				return false
			}
			if _, err := quick().Push(t.Context(), serve(t, r)+"/pgvector", publication(t, "a")); err != nil {
				t.Errorf("Push() with %s reset twice = %v", method, err)
			}
		}
	})
	t.Run("for good", func(t *testing.T) {
		r := &recording{next: Memory(), fault: times(-1, http.MethodPatch, "", http.StatusBadGateway)}
		c := New(Options{Backoff: time.Millisecond, Attempts: 3, Jobs: 1})
		repo := serve(t, r) + "/pgvector"
		_, err := c.Push(t.Context(), repo, publication(t, "a"))
		checkError(t, err, "the registry has a problem: run the command again later: it continues")
		if n := r.requests(http.MethodPatch, ""); n != 3 {
			t.Errorf("%d attempts, want 3", n)
		}
		r.reset(nil)
		if _, err := c.Push(t.Context(), repo, publication(t, "a")); err != nil {
			t.Errorf("Push() again = %v", err)
		}
	})
	t.Run("Retry-After", func(t *testing.T) {
		fault := times(1, http.MethodHead, "/manifests/", http.StatusTooManyRequests)
		r := &recording{next: Memory(), fault: func(w http.ResponseWriter, req *http.Request) bool {
			w.Header().Set("Retry-After", "1")
			return fault(w, req)
		}}
		start := time.Now()
		if _, err := quick().Push(t.Context(), serve(t, r)+"/pgvector", publication(t, "a")); err != nil || time.Since(start) < time.Second {
			t.Errorf("Push() after %v = %v", time.Since(start), err)
		}
	})
}

// hintOf returns the hint of err.
func hintOf(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

func checkError(tb testing.TB, err error, hint string) {
	tb.Helper()
	var e *Error
	if !errors.As(err, &e) {
		tb.Fatalf("error = %v, want an *Error", err)
	}
	if e.ExitCode() != 14 || e.Hint() != hint {
		tb.Errorf("error %v has exit code %d, hint %q; want 14, %q", err, e.ExitCode(), e.Hint(), hint)
	}
}

// TestPushFailsWhole breaks each step for good and looks at the tags.
func TestPushFailsWhole(t *testing.T) {
	old := publication(t, "old")
	next := publication(t, "new")
	next.Immutable = []string{"1-202604011200-18-trixie"}
	for _, tc := range []struct {
		name  string
		fault func(http.ResponseWriter, *http.Request) bool
	}{
		{"blob", times(-1, http.MethodPatch, "", http.StatusBadRequest)},
		{"index", times(-1, http.MethodPut, digestOf(t, next.Index).String(), http.StatusBadRequest)},
		{"referrer", times(-1, http.MethodPut, digestOf(t, next.Referrers[1]).String(), http.StatusBadRequest)},
		{"evidence", times(-1, http.MethodPut, ".sig", http.StatusBadRequest)},
		{"read back", times(-1, http.MethodGet, "/manifests/"+digestOf(t, next.Index).String(), http.StatusBadRequest)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &recording{next: Memory()}
			repo := serve(t, r) + "/pgvector"
			must(quick().Push(t.Context(), repo, old))
			before := tagsOf(t, repo)
			r.reset(tc.fault)
			if _, err := quick().Push(t.Context(), repo, next); err == nil {
				t.Error("Push() succeeds")
			}
			r.reset(nil)
			if diff := cmp.Diff(tagsOf(t, repo), before); diff != "" {
				t.Errorf("tags (-after +before):\n%s", diff)
			}
			must(quick().Push(t.Context(), repo, next))
			if got := tagsOf(t, repo); len(got) != 3 {
				t.Errorf("tags after pushing again are %v", got)
			}
		})
	}
}

func TestPushImmutable(t *testing.T) {
	repo := serve(t, Memory()) + "/pgvector"
	must(quick().Push(t.Context(), repo, publication(t, "a")))
	before := tagsOf(t, repo)
	p := publication(t, "b")
	_, err := quick().Push(t.Context(), repo, p)
	checkError(t, err, "publish it beside the old one with --revision 1")
	if !strings.Contains(err.Error(), "never moves: it names "+digestOf(t, publication(t, "a").Index).String()+", not "+digestOf(t, p.Index).String()) {
		t.Errorf("Push() error = %v", err)
	}
	if diff := cmp.Diff(tagsOf(t, repo), before); diff != "" {
		t.Errorf("tags (-after +before):\n%s", diff)
	}
	if got, want := hintOf(immutableError("1-2-18-trixie-r9", v1.Hash{}, v1.Hash{})), "publish it beside the old one with --revision 10"; got != want {
		t.Errorf("hint = %q, want %q", got, want)
	}
}

// TestPushAuthenticates takes the password from docker's own file.
func TestPushAuthenticates(t *testing.T) {
	memory := Memory()
	host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if user, password, _ := req.BasicAuth(); user != "me" || password != "hunter2" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		memory.ServeHTTP(w, req)
	}))
	p := publication(t, "a")
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	_, err := quick().Push(t.Context(), host+"/x", p)
	checkError(t, err, "docker login "+host)

	auth := base64.StdEncoding.EncodeToString([]byte("me:hunter2"))
	config := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, auth)
	if err := os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := quick().Push(t.Context(), host+"/x", p); err != nil || got != digestOf(t, p.Index) {
		t.Errorf("Push() with the password = %v, %v", got, err)
	}
}
