package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/pgext/pgext/internal/oci"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// referringIndex returns an index with a subject.
func referringIndex(tb testing.TB, subject v1.Image, inside v1.ImageIndex) v1.ImageIndex {
	tb.Helper()
	about, err := partial.Descriptor(subject)
	if err != nil {
		tb.Fatal(err)
	}
	idx := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: inside})
	return mutate.Subject(idx, v1.Descriptor{MediaType: about.MediaType, Digest: about.Digest, Size: about.Size}).(v1.ImageIndex)
}

// TestCollect copies an image with its attachments from one layout to another and
// compares every file.
func TestCollect(t *testing.T) {
	c := newCache(t)
	idx := buildIndex(t, c, "amd64", "arm64")
	img := must(idx.Image(must(idx.IndexManifest()).Manifests[1].Digest))
	sbom := referrer(t, img, "application/spdx+json", "{}")
	signed := referrer(t, sbom, "application/x", "signed")
	nested := referringIndex(t, img, buildIndex(t, c, "riscv64"))
	tag := "sha256-" + digestOf(t, idx).Hex + ".sig"
	sig := referrer(t, idx, "application/y", "legacy")

	from := At(filepath.Join(t.TempDir(), "from"))
	write(t, from, Output{Tags: []string{"a", "b"}, Set: oci.Set{
		Index: idx, Referrers: []v1.Image{signed, sbom}, ReferrerIndexes: []v1.ImageIndex{nested}, Legacy: map[string]v1.Image{tag: sig},
	}})
	write(t, from, Output{Set: oci.Set{Index: buildIndex(t, c, "s390x")}, Tags: []string{"other"}})
	got, err := from.Collect("a")
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != digestOf(t, idx) || len(got.Referrers) != 2 || len(got.ReferrerIndexes) != 1 || len(got.Legacy) != 1 {
		t.Fatalf("Collect() = %+v", got)
	}
	if err := validate.Index(got.Index); err != nil {
		t.Error(err)
	}
	to := At(filepath.Join(t.TempDir(), "to"))
	o := Output{Set: got, Tags: []string{"a", "b"}}
	write(t, to, o)
	write(t, from, Output{Set: oci.Set{Index: idx}, Tags: []string{"other"}})
	if diff := cmp.Diff(listing(t, to), slices.DeleteFunc(listing(t, from), func(s string) bool { return strings.HasPrefix(s, "other ") })); diff != "" {
		t.Errorf("index.json (-copy +original):\n%s", diff)
	}
	if diff := cmp.Diff(keys(state(t, to.Dir())), keys(state(t, from.Dir()))); diff != "" {
		t.Errorf("files (-copy +original):\n%s", diff)
	}

	t.Run("twice writes nothing", func(t *testing.T) {
		before := state(t, to.Dir())
		write(t, to, o)
		if diff := cmp.Diff(state(t, to.Dir()), before); diff != "" {
			t.Errorf("files (-after +before):\n%s", diff)
		}
	})
	t.Run("a legacy tag is not an image tag", func(t *testing.T) {
		if diff := cmp.Diff(must(to.Tags()), []Tag{{"a", got.Digest}, {"b", got.Digest}}); diff != "" {
			t.Errorf("Tags() (-got +want):\n%s", diff)
		}
		if d, err := to.Find(""); err != nil || d.Digest != got.Digest {
			t.Errorf("Find() = %v, %v", d, err)
		}
		if d, err := to.Find(tag); err != nil || d.Digest != digestOf(t, sig) {
			t.Errorf("Find(%s) = %v, %v", tag, d, err)
		}
	})
	t.Run("layers of a legacy tag are merged", func(t *testing.T) {
		more := referrer(t, idx, "application/y", "another signature")
		write(t, to, Output{Set: oci.Set{Legacy: map[string]v1.Image{tag: more}}})
		merged := must(to.Collect("a")).Legacy[tag]
		if n := len(must(merged.Layers())); n != 2 {
			t.Errorf("%d layers, want 2", n)
		}
	})
	t.Run("attachments are removed with their image", func(t *testing.T) {
		last := buildIndex(t, c, "ppc64el")
		write(t, to, Output{Set: oci.Set{Index: last}, Tags: []string{"a", "b"}})
		short := digestOf(t, last).Hex[:12]
		if diff := cmp.Diff(listing(t, to), []string{"a " + short, "b " + short}); diff != "" {
			t.Errorf("index.json (-got +want):\n%s", diff)
		}
	})
	t.Run("a damaged referrer is an error", func(t *testing.T) {
		path := filepath.Join(from.Dir(), "blobs", "sha256", digestOf(t, sbom).Hex)
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := from.Collect("a"); err == nil {
			t.Error("Collect() of a damaged referrer succeeds")
		}
	})
	t.Run("a single image", func(t *testing.T) {
		l := At(filepath.Join(t.TempDir(), "one"))
		write(t, l, Output{Set: oci.Set{Images: []v1.Image{img}, Referrers: []v1.Image{sbom, signed}}, Tags: []string{"x"}})
		got, err := l.Collect("")
		if err != nil || got.Index != nil || digestOf(t, got.Images[0]) != digestOf(t, img) || len(got.Referrers) != 2 {
			t.Errorf("Collect() = %+v, %v", got, err)
		}
	})
}
