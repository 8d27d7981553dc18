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
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// fixed is evidence that does not look at what is there.
func fixed(img v1.Image) func(v1.Image) (v1.Image, error) {
	return func(v1.Image) (v1.Image, error) { return img, nil }
}

// referringIndex is an index that is itself about something.
func referringIndex(tb testing.TB, subject v1.Image, inside v1.ImageIndex) v1.ImageIndex {
	tb.Helper()
	about, err := describe(subject)
	if err != nil {
		tb.Fatal(err)
	}
	idx := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: inside})
	return mutate.Subject(idx, about).(v1.ImageIndex)
}

// TestCollect copies an image with all that is about it from one layout to
// another, and compares every file.
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
	write(t, from, Output{
		Index: idx, Tags: []string{"a", "b"}, Referrers: []v1.Image{signed, sbom}, Indexes: []v1.ImageIndex{nested},
		Evidence: map[string]func(v1.Image) (v1.Image, error){tag: fixed(sig)},
	})
	write(t, from, Output{Index: buildIndex(t, c, "s390x"), Tags: []string{"other"}})
	got, err := from.Collect("a")
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != digestOf(t, idx) || len(got.Referrers) != 2 || len(got.Indexes) != 1 || len(got.Evidence) != 1 {
		t.Fatalf("Collect() = %+v", got)
	}
	if err := validate.Index(got.Index); err != nil {
		t.Error(err)
	}
	to := At(filepath.Join(t.TempDir(), "to"))
	o := Output{
		Index: got.Index, Tags: []string{"a", "b"}, Referrers: got.Referrers, Indexes: got.Indexes,
		Evidence: map[string]func(v1.Image) (v1.Image, error){tag: fixed(got.Evidence[tag])},
	}
	write(t, to, o)
	write(t, from, Output{Index: idx, Tags: []string{"other"}})
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
	t.Run("evidence is no image of its own", func(t *testing.T) {
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
	t.Run("evidence sees what is there", func(t *testing.T) {
		var seen v1.Image
		write(t, to, Output{Evidence: map[string]func(v1.Image) (v1.Image, error){tag: func(existing v1.Image) (v1.Image, error) {
			seen = existing
			return existing, nil
		}}})
		if seen == nil || digestOf(t, seen) != digestOf(t, sig) {
			t.Errorf("existing = %v", seen)
		}
	})
	t.Run("goes with its image", func(t *testing.T) {
		last := buildIndex(t, c, "ppc64el")
		write(t, to, Output{Index: last, Tags: []string{"a", "b"}})
		short := digestOf(t, last).Hex[:12]
		if diff := cmp.Diff(listing(t, to), []string{"a " + short, "b " + short}); diff != "" {
			t.Errorf("index.json (-got +want):\n%s", diff)
		}
	})
	t.Run("damage is not passed over", func(t *testing.T) {
		path := filepath.Join(from.Dir(), "blobs", "sha256", digestOf(t, sbom).Hex)
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := from.Collect("a"); err == nil {
			t.Error("Collect() of a damaged referrer succeeds")
		}
	})
	t.Run("an image without index", func(t *testing.T) {
		l := At(filepath.Join(t.TempDir(), "one"))
		write(t, l, Output{Image: img, Tags: []string{"x"}, Referrers: []v1.Image{sbom, signed}})
		got, err := l.Collect("")
		if err != nil || got.Index != nil || digestOf(t, got.Image) != digestOf(t, img) || len(got.Referrers) != 2 {
			t.Errorf("Collect() = %+v, %v", got, err)
		}
	})
}
