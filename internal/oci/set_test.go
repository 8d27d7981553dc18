package oci

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// imageFor returns an image with one layer for a platform.
func imageFor(tb testing.TB, p v1.Platform, layers ...string) v1.Image {
	tb.Helper()
	img, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), &v1.ConfigFile{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	for _, l := range layers {
		if img, err = mutate.AppendLayers(img, static.NewLayer([]byte(l), types.OCILayer)); err != nil {
			tb.Fatal(err)
		}
	}
	return img
}

func digestOf(tb testing.TB, d interface{ Digest() (v1.Hash, error) }) v1.Hash {
	tb.Helper()
	h, err := d.Digest()
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func TestSelect(t *testing.T) {
	images := map[string]v1.Image{}
	var idx v1.ImageIndex = empty.Index
	for _, p := range []v1.Platform{
		{OS: "unknown", Architecture: "unknown"},
		{OS: "linux", Architecture: "amd64"},
		{OS: "linux", Architecture: "arm", Variant: "v7"},
		{OS: "linux", Architecture: "arm64", Variant: "v8"},
	} {
		images[p.Architecture] = imageFor(t, p)
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: images[p.Architecture], Descriptor: v1.Descriptor{Platform: &p}})
	}
	index, err := FromIndex(idx)
	if err != nil {
		t.Fatal(err)
	}
	single, err := FromImage(images["amd64"])
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		from Set
		want v1.Platform
		got  string // architecture, "" for none
	}{
		{"in the index", index, v1.Platform{OS: "linux", Architecture: "amd64"}, "amd64"},
		{"any variant", index, v1.Platform{OS: "linux", Architecture: "arm64"}, "arm64"},
		{"other variant", index, v1.Platform{OS: "linux", Architecture: "arm", Variant: "v5"}, ""},
		{"other architecture", index, v1.Platform{OS: "linux", Architecture: "s390x"}, ""},
		{"other operating system", index, v1.Platform{OS: "windows", Architecture: "amd64"}, ""},
		{"single image", single, v1.Platform{OS: "linux", Architecture: "amd64"}, "amd64"},
		{"single image, other architecture", single, v1.Platform{OS: "linux", Architecture: "arm64"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			img, ok, err := tc.from.Select(tc.want)
			if err != nil || ok != (tc.got != "") {
				t.Fatalf("Select() = %v, %v", ok, err)
			}
			if ok && digestOf(t, img) != digestOf(t, images[tc.got]) {
				t.Errorf("Select() = %s, want the image of %s", digestOf(t, img), tc.got)
			}
		})
	}
}

// TestUnlisted: every entry of an index is the image of an architecture, an
// attestation, or unread.
func TestUnlisted(t *testing.T) {
	var idx v1.ImageIndex = empty.Index
	for _, d := range []v1.Descriptor{
		{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}},
		{},
		{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}},
		{Platform: &v1.Platform{OS: "linux", Architecture: "unknown"}},
		{MediaType: types.OCIImageIndex},
	} {
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: imageFor(t, v1.Platform{}), Descriptor: d})
	}
	s, err := FromIndex(idx)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := UnlistedOf(idx)
	if err != nil {
		t.Fatal(err)
	}
	got := [3]int{len(s.Images), len(rest.Attestations), len(rest.Unread)}
	if diff := cmp.Diff(got, [3]int{2, 1, 2}); diff != "" {
		t.Errorf("images, attestations, unread (-got +want):\n%s", diff)
	}
}

func TestMergeLegacy(t *testing.T) {
	one, two := imageFor(t, v1.Platform{}, "one"), imageFor(t, v1.Platform{}, "two")
	both, err := MergeLegacy(one, two)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name          string
		existing, img v1.Image
		layers        int
		want          v1.Image
	}{
		{"nothing exists", nil, one, 1, one},
		{"the same image exists", one, one, 1, one},
		{"another layer exists", one, two, 2, both},
		{"all layers exist", both, two, 2, both},
		{"some layers exist", one, both, 2, both},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := MergeLegacy(tc.existing, tc.img)
			if err != nil {
				t.Fatal(err)
			}
			layers, err := got.Layers()
			if err != nil || len(layers) != tc.layers || digestOf(t, got) != digestOf(t, tc.want) {
				t.Errorf("MergeLegacy() has %d layers and digest %v, want %d, %v (%v)", len(layers), digestOf(t, got), tc.layers, digestOf(t, tc.want), err)
			}
		})
	}
}

// TestWithAttachments: attachments are added to a copy, and layers with the same
// tag are merged.
func TestWithAttachments(t *testing.T) {
	one, two := imageFor(t, v1.Platform{}, "one"), imageFor(t, v1.Platform{}, "two")
	first := Set{Referrers: []v1.Image{one}, Legacy: map[string]v1.Image{"tag": one}}
	both, err := first.WithAttachments(Set{Referrers: []v1.Image{two}, Legacy: map[string]v1.Image{"tag": two, "other": two}})
	if err != nil {
		t.Fatal(err)
	}
	merged, err := MergeLegacy(one, two)
	if err != nil {
		t.Fatal(err)
	}
	if referrers, legacy := both.Attachments(); referrers != 2 || legacy != 2 || digestOf(t, both.Legacy["tag"]) != digestOf(t, merged) {
		t.Errorf("WithAttachments() has %d referrers and %d legacy tags, digest %v, want 2, 2, %v", referrers, legacy, digestOf(t, both.Legacy["tag"]), digestOf(t, merged))
	}
	if referrers, legacy := first.Attachments(); referrers != 1 || legacy != 1 || first.Legacy["tag"] != one {
		t.Errorf("WithAttachments() changed its receiver: %d referrers, %d legacy tags", referrers, legacy)
	}
}

func TestLegacyTags(t *testing.T) {
	h := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("a", 64)}
	for _, tag := range LegacyTags(h) {
		if got := LegacySubject(tag); got == nil || *got != h {
			t.Errorf("LegacySubject(%q) = %v, want %v", tag, got, h)
		}
	}
	for _, tag := range []string{"18", FallbackTag(h), "sha256-aa.sig", SignatureTag(h) + "x", "x" + SignatureTag(h)} {
		if got := LegacySubject(tag); got != nil {
			t.Errorf("LegacySubject(%q) = %v, want nil", tag, got)
		}
	}
}

func TestParseManifest(t *testing.T) {
	for _, tc := range []struct {
		name, raw string
		kind      types.MediaType // "" for an error of Kind
		err       bool            // of ParseManifest
	}{
		{"index", `{"schemaVersion":2,"manifests":[]}`, types.OCIImageIndex, false},
		{"image", `{"schemaVersion":2,"config":{},"layers":[]}`, types.OCIManifestSchema1, false},
		{"Docker image", `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{}}`, types.DockerManifestSchema2, false},
		{"both", `{"schemaVersion":2,"manifests":[],"layers":[]}`, "", true},
		{"both, by config", `{"schemaVersion":2,"manifests":[],"config":{}}`, "", true},
		{"neither", `{"schemaVersion":2}`, "", false},
		{"other media type", `{"schemaVersion":2,"mediaType":"text/plain","config":{}}`, "", false},
		{"other version", `{"schemaVersion":1,"config":{}}`, "", false},
		{"no JSON", `{`, "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := ParseManifest([]byte(tc.raw))
			if (err != nil) != tc.err {
				t.Fatalf("ParseManifest() = %v, want an error: %v", err, tc.err)
			}
			if err != nil {
				return
			}
			if kind, err := m.Kind(); kind != tc.kind || (err == nil) != (tc.kind != "") {
				t.Errorf("Kind() = %q, %v; want %q", kind, err, tc.kind)
			}
		})
	}
}
