package image

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/cache"
)

// build returns the image that the tests are about.
func build(tb testing.TB, c *cache.Cache, arch string) v1.Image {
	tb.Helper()
	platform := v1.Platform{Architecture: arch}
	if arch == "arm64" {
		platform.Variant = "v8"
	}
	o := LayerOptions{Cache: c}
	img, err := New(Spec{
		Platform: platform, Epoch: newer,
		Parts: []Part{
			{layer(tb, libraries(tb), o), "pgext: libraries"},
			{layer(tb, vector(tb), o), "pgext: extension"},
		},
		Labels:      map[string]string{"io.pgext.metadata": `{"arch":"` + arch + `"}`, "a": "1"},
		Annotations: map[string]string{"org.opencontainers.image.version": "0.8.1"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return img
}

func buildIndex(tb testing.TB, c *cache.Cache, archs ...string) v1.ImageIndex {
	tb.Helper()
	var images []v1.Image
	for _, arch := range archs {
		images = append(images, build(tb, c, arch))
	}
	idx, err := NewIndex(images, map[string]string{"org.opencontainers.image.version": "0.8.1"})
	if err != nil {
		tb.Fatal(err)
	}
	return idx
}

func digestOf(tb testing.TB, d interface{ Digest() (v1.Hash, error) }) v1.Hash {
	tb.Helper()
	h, err := d.Digest()
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func indented(tb testing.TB, raw []byte, err error) string {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	var b strings.Builder
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		tb.Fatal(err)
	}
	enc := json.NewEncoder(&b)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func TestImage(t *testing.T) {
	c := newCache(t)
	img := build(t, c, "arm64")
	low, high := layer(t, libraries(t), LayerOptions{Cache: c}), layer(t, vector(t), LayerOptions{Cache: c})

	raw, err := img.RawConfigFile()
	want := strings.NewReplacer("LOW", low.diffID.String(), "HIGH", high.diffID.String()).Replace(`{
 "architecture": "arm64",
 "config": {
  "Labels": {
   "a": "1",
   "io.pgext.metadata": "{\"arch\":\"arm64\"}"
  },
  "User": "65532:65532"
 },
 "created": "2026-03-01T12:00:00Z",
 "history": [
  {
   "created": "2026-03-01T12:00:00Z",
   "created_by": "pgext: libraries"
  },
  {
   "created": "2026-03-01T12:00:00Z",
   "created_by": "pgext: extension"
  }
 ],
 "os": "linux",
 "rootfs": {
  "diff_ids": [
   "LOW",
   "HIGH"
  ],
  "type": "layers"
 },
 "variant": "v8"
}
`)
	if diff := cmp.Diff(indented(t, raw, err), want); diff != "" {
		t.Errorf("config (-got +want):\n%s", diff)
	}
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range append([]v1.Descriptor{m.Config}, m.Layers...) {
		got = append(got, string(d.MediaType)+" "+d.Digest.String())
	}
	layers := []string{
		"application/vnd.oci.image.config.v1+json " + m.Config.Digest.String(),
		"application/vnd.oci.image.layer.v1.tar+gzip " + low.digest.String(),
		"application/vnd.oci.image.layer.v1.tar+gzip " + high.digest.String(),
	}
	if diff := cmp.Diff(got, layers); diff != "" {
		t.Errorf("manifest (-got +want):\n%s", diff)
	}
	if err := validate.Image(img); err != nil {
		t.Errorf("validate.Image() = %v", err)
	}
}

func TestIndex(t *testing.T) {
	c := newCache(t)
	both := buildIndex(t, c, "arm64", "amd64")
	if err := validate.Index(both); err != nil {
		t.Errorf("validate.Index() = %v", err)
	}
	m, err := both.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, d := range m.Manifests {
		platforms = append(platforms, d.Platform.String()+d.ArtifactType)
	}
	if diff := cmp.Diff(platforms, []string{"linux/amd64", "linux/arm64/v8"}); diff != "" {
		t.Errorf("platforms (-got +want):\n%s", diff)
	}
	if m.MediaType != "application/vnd.oci.image.index.v1+json" || m.Annotations["org.opencontainers.image.version"] != "0.8.1" {
		t.Errorf("index is %+v", m)
	}
	t.Run("an architecture's share does not depend on the others", func(t *testing.T) {
		alone, err := buildIndex(t, newCache(t), "amd64").IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if alone.Manifests[0].Digest != m.Manifests[0].Digest {
			t.Errorf("amd64 alone is %v, in the index %v", alone.Manifests[0].Digest, m.Manifests[0].Digest)
		}
	})
	t.Run("twice, in another order", func(t *testing.T) {
		if got, want := digestOf(t, buildIndex(t, newCache(t), "amd64", "arm64")), digestOf(t, both); got != want {
			t.Errorf("digest is %v, want %v", got, want)
		}
	})
	t.Run("the same platform twice", func(t *testing.T) {
		img := build(t, c, "amd64")
		if _, err := NewIndex([]v1.Image{img, img}, nil); err == nil || err.Error() != "making index: two images for linux/amd64" {
			t.Errorf("NewIndex() error = %v", err)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		if _, err := NewIndex(nil, nil); err == nil {
			t.Error("NewIndex() of nothing: no error")
		}
		if _, err := New(Spec{Platform: v1.Platform{Architecture: "amd64"}}); err == nil {
			t.Error("New() without layers: no error")
		}
	})
}

func TestEpoch(t *testing.T) {
	c := newCache(t)
	l := layer(t, libraries(t), LayerOptions{Cache: c})
	var images []v1.Image
	for _, at := range []time.Time{older, newer.Add(time.Millisecond), older} {
		img, err := New(Spec{Platform: v1.Platform{Architecture: "amd64"}, Epoch: at, Parts: []Part{{l, ""}}})
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, img)
	}
	if got, err := Epoch(images); err != nil || !got.Equal(newer) {
		t.Errorf("Epoch() = %v, %v; want %v", got, err, newer)
	}
}
