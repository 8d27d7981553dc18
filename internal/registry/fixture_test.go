package registry

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// newIndex is an index of two images of three layers that hold text.
func newIndex(tb testing.TB, text string) v1.ImageIndex {
	tb.Helper()
	return newIndexOf(tb, text, 3, func(content string) v1.Layer { return newLayer(tb, content) })
}

// quickIndex is made faster: its layers are no archives.
func quickIndex(tb testing.TB, text string) v1.ImageIndex {
	tb.Helper()
	return newIndexOf(tb, text, 1, func(content string) v1.Layer { return static.NewLayer([]byte(content), types.OCIUncompressedLayer) })
}

func newIndexOf(tb testing.TB, text string, layers int, layer func(string) v1.Layer) v1.ImageIndex {
	tb.Helper()
	idx := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
		img, err := mutate.ConfigFile(img, &v1.ConfigFile{Architecture: arch, OS: "linux", RootFS: v1.RootFS{Type: "layers"}})
		if err != nil {
			tb.Fatal(err)
		}
		for i := range layers {
			if img, err = mutate.AppendLayers(img, layer(fmt.Sprint(text, arch, i))); err != nil {
				tb.Fatal(err)
			}
		}
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "linux", Architecture: arch},
		}})
	}
	return idx
}

// newLayer is a layer of one file.
func newLayer(tb testing.TB, content string) v1.Layer {
	tb.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	if err := tw.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: int64(len(content))}); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(tw, content); err != nil {
		tb.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		tb.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// newReferrer is an artifact about subject.
func newReferrer(tb testing.TB, subject partial.Describable, artifactType string) v1.Image {
	tb.Helper()
	d, err := partial.Descriptor(subject)
	if err != nil {
		tb.Fatal(err)
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.oci.empty.v1+json")
	img, err = mutate.AppendLayers(img, static.NewLayer([]byte("{}"), "application/json"))
	if err != nil {
		tb.Fatal(err)
	}
	return &artifact{Image: mutate.Subject(img, *d).(v1.Image), artifactType: artifactType}
}

// artifact is an image with an artifactType.
type artifact struct {
	v1.Image
	artifactType string
	annotations  map[string]string
}

func (a *artifact) RawManifest() ([]byte, error) {
	raw, err := a.Image.RawManifest()
	if err != nil {
		return nil, err
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	m["artifactType"] = a.artifactType
	if a.annotations != nil {
		m["annotations"] = a.annotations
	}
	return json.Marshal(m)
}

func (a *artifact) Digest() (v1.Hash, error) { return partial.Digest(a) }
func (a *artifact) Size() (int64, error)     { return partial.Size(a) }

func digestOf(tb testing.TB, d interface{ Digest() (v1.Hash, error) }) v1.Hash {
	tb.Helper()
	h, err := d.Digest()
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// recording is a registry that injects faults and records requests.
type recording struct {
	next http.Handler

	mu   sync.Mutex
	log  []string
	busy int
	peak int
	// fault may answer itself; it then returns true.
	fault func(http.ResponseWriter, *http.Request) bool
}

func (r *recording) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.log = append(r.log, req.Method+" "+req.URL.Path)
	r.busy++
	r.peak = max(r.peak, r.busy)
	fault := r.fault
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.busy--
		r.mu.Unlock()
	}()
	if fault == nil || !fault(w, req) {
		r.next.ServeHTTP(w, req)
	}
}

// requests returns how often a method was used on paths that hold part.
func (r *recording) requests(method, part string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, line := range r.log {
		if strings.HasPrefix(line, method+" ") && strings.Contains(line, part) {
			n++
		}
	}
	return n
}

func (r *recording) reset(fault func(http.ResponseWriter, *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log, r.peak, r.fault = nil, 0, fault
}

// serve returns a handler's HOST:PORT.
func serve(tb testing.TB, h http.Handler) string {
	tb.Helper()
	server := httptest.NewServer(h)
	tb.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// quick is a client that does not wait.
func quick() *Client { return New(Options{Backoff: time.Millisecond}) }

// times returns a fault that answers n requests of a method whose path holds
// part with status.
func times(n int, method, part string, status int) func(http.ResponseWriter, *http.Request) bool {
	var mu sync.Mutex
	return func(w http.ResponseWriter, req *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if n == 0 || req.Method != method || !strings.Contains(req.URL.Path, part) {
			return false
		}
		n--
		w.WriteHeader(status)
		return true
	}
}
