package registry

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/oci"
)

// respond returns a fault that sends body, with status 200 and the headers of a
// correct response, to requests of a method whose path ends with suffix.
func respond(method, suffix, contentType string, body []byte) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, req *http.Request) bool {
		if req.Method != method || !strings.HasSuffix(req.URL.Path, suffix) {
			return false
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		if _, digest, ok := strings.Cut(suffix, "sha256:"); ok {
			w.Header().Set("Docker-Content-Digest", "sha256:"+digest)
		}
		w.WriteHeader(http.StatusOK)
		if method != http.MethodHead {
			_, _ = w.Write(body) // fails if the client has disconnected
		}
		return true
	}
}

// changed returns b with its last byte changed.
func changed(b []byte) []byte {
	out := slices.Clone(b)
	out[len(out)-1] ^= 1
	return out
}

// contentOf returns the bytes of a layer.
func contentOf(tb testing.TB, img v1.Image) (oci.Manifest, []byte) {
	tb.Helper()
	m := must(oci.ParseManifest(must(img.RawManifest())))
	r := must(must(img.Layers())[0].Compressed())
	defer r.Close()
	return m, must(io.ReadAll(r))
}

// TestReadWrongContent: content that the registry sends with status 200 for a
// digest that it does not have is refused.
func TestReadWrongContent(t *testing.T) {
	p, other := full(t, "a"), full(t, "b")
	child := must(p.Index.IndexManifest()).Manifests[0].Digest
	img := must(p.Index.Image(child))
	m, layer := contentOf(t, img)
	config := must(img.RawConfigFile())
	raw, otherRaw := must(p.Index.RawManifest()), must(other.Index.RawManifest())
	referrer := p.Referrers[0]
	for _, tc := range []struct {
		name   string
		suffix string
		body   []byte
	}{
		{"another index", "/manifests/" + digestOf(t, p.Index).String(), otherRaw},
		{"a changed index", "/manifests/" + digestOf(t, p.Index).String(), append(slices.Clone(raw), ' ')},
		{"another image manifest", "/manifests/" + child.String(), must(must(p.Index.Image(must(p.Index.IndexManifest()).Manifests[1].Digest)).RawManifest())},
		{"another referrer", "/manifests/" + digestOf(t, referrer).String(), must(p.Referrers[1].RawManifest())},
		{"a changed config", "/blobs/" + m.Config.Digest.String(), changed(config)},
		{"another config", "/blobs/" + m.Config.Digest.String(), []byte("{}")},
		{"a changed layer", "/blobs/" + m.Layers[0].Digest.String(), changed(layer)},
		{"a truncated layer", "/blobs/" + m.Layers[0].Digest.String(), layer[:len(layer)-1]},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &recording{next: Memory()}
			repo := serve(t, r) + "/x"
			must(quick().Push(t.Context(), repo, p))
			r.reset(respond(http.MethodGet, tc.suffix, "application/vnd.oci.image.index.v1+json", tc.body))
			for reader := range readers {
				if reader == "Resolve" && strings.HasSuffix(tc.suffix, digestOf(t, referrer).String()) {
					continue // Resolve reads no referrers
				}
				if err := readWith(t, reader, repo+"@"+digestOf(t, p.Index).String(), child); err == nil {
					t.Errorf("%s accepts wrong content", reader)
				}
			}
		})
	}
	t.Run("control", func(t *testing.T) {
		repo := serve(t, Memory()) + "/x"
		must(quick().Push(t.Context(), repo, p))
		for reader := range readers {
			if err := readWith(t, reader, repo+"@"+digestOf(t, p.Index).String(), child); err != nil {
				t.Errorf("%s: %v", reader, err)
			}
		}
	})
}

// readers read an image and the config and first layer of child, by Collect and by
// Resolve.
var readers = map[string]func(*Client, context.Context, string) (oci.Set, error){
	"Collect": (*Client).Collect, "Resolve": (*Client).Resolve,
}

// readWith reads with one of readers.
func readWith(tb testing.TB, reader, ref string, child v1.Hash) error {
	tb.Helper()
	s, err := readers[reader](quick(), tb.Context(), ref)
	if err != nil {
		return err
	}
	img, err := s.Index.Image(child)
	if err != nil {
		return err
	}
	if _, err := img.RawConfigFile(); err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	blob, err := layers[0].Compressed()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, blob)
	if err := blob.Close(); err != nil {
		tb.Error(err)
	}
	return err
}

// TestPushWrongContent: a push fails, and sets no tag, if the registry reports
// success and has other content than was sent.
func TestPushWrongContent(t *testing.T) {
	p := publication(t, "a")
	child := must(p.Index.IndexManifest()).Manifests[0].Digest
	img := must(p.Index.Image(child))
	m, layer := contentOf(t, img)
	if m.Layers[0].Size > smallBlob {
		t.Fatalf("the layer has %d bytes, want at most %d", m.Layers[0].Size, smallBlob)
	}
	const image = "application/vnd.oci.image.manifest.v1+json"
	for _, tc := range []struct {
		name  string
		fault func(http.ResponseWriter, *http.Request) bool
	}{
		{"changed config", respond(http.MethodGet, "/blobs/"+m.Config.Digest.String(), "application/octet-stream", changed(must(img.RawConfigFile())))},
		{"changed layer", respond(http.MethodGet, "/blobs/"+m.Layers[0].Digest.String(), "application/octet-stream", changed(layer))},
		{"truncated layer", respond(http.MethodGet, "/blobs/"+m.Layers[0].Digest.String(), "application/octet-stream", layer[1:])},
		{"other image manifest", respond(http.MethodGet, "/manifests/"+child.String(), image, must(p.Referrers[0].RawManifest()))},
		{"changed referrer", respond(http.MethodGet, "/manifests/"+digestOf(t, p.Referrers[0]).String(), image, append(must(p.Referrers[0].RawManifest()), ' '))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &recording{next: Memory(), fault: tc.fault}
			repo := serve(t, r) + "/x"
			_, err := quick().Push(t.Context(), repo, p)
			if err == nil || !strings.Contains(err.Error(), "mismatch") {
				t.Errorf("Push() = %v, want a digest mismatch", err)
			}
			r.reset(nil)
			if tags := tagsOf(t, repo); len(tags) > 0 {
				t.Errorf("tags = %v, want none", tags)
			}
		})
	}
	t.Run("large layer of another size", func(t *testing.T) {
		p := Publication{Set: oci.Set{Index: quickIndex(t, strings.Repeat("0123456789abcdef", smallBlob/8))}, Moving: []string{"x"}}
		m, layer := contentOf(t, must(p.Index.Image(must(p.Index.IndexManifest()).Manifests[0].Digest)))
		if len(layer) <= smallBlob {
			t.Fatalf("the layer has %d bytes, want more than %d", len(layer), smallBlob)
		}
		uploaded := &atomic.Bool{}
		wrong := respond(http.MethodHead, "/blobs/"+m.Layers[0].Digest.String(), "application/octet-stream", layer[1:])
		r := &recording{next: Memory(), fault: func(w http.ResponseWriter, req *http.Request) bool {
			if req.Method == http.MethodPut {
				uploaded.Store(true)
			}
			return uploaded.Load() && wrong(w, req)
		}}
		repo := serve(t, r) + "/x"
		if _, err := quick().Push(t.Context(), repo, p); err == nil || !strings.Contains(err.Error(), "size mismatch") {
			t.Errorf("Push() = %v, want a size mismatch", err)
		}
	})
}

// TestPushTakenTag: an immutable tag that another publisher sets between the check
// and the end of the push is not overwritten.
func TestPushTakenTag(t *testing.T) {
	first, second := publication(t, "a"), publication(t, "b")
	next := Memory()
	repo := serve(t, next) + "/x"
	var taken atomic.Bool
	r := &recording{next: next}
	r.fault = func(_ http.ResponseWriter, req *http.Request) bool {
		// The first upload comes after the check.
		if req.Method == http.MethodPost && taken.CompareAndSwap(false, true) {
			must(quick().Push(t.Context(), repo, first))
		}
		return false
	}
	host := serve(t, r)
	_, err := quick().Push(t.Context(), host+"/x", second)
	if err == nil || !strings.Contains(err.Error(), "never moves: it names "+digestOf(t, first.Index).String()) {
		t.Errorf("Push() = %v, want the error for the tag that was taken", err)
	}
	if !taken.Load() {
		t.Error("the tag was never taken")
	}
	for _, tag := range tagsOf(t, repo) {
		if !strings.HasSuffix(tag, digestOf(t, first.Index).String()) {
			t.Errorf("tag %s moved", tag)
		}
	}
}
