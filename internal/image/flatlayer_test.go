package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/filetree"
)

// TestFlattenLayers: owners, whiteouts and layers are in the result beside the
// tree.
func TestFlattenLayers(t *testing.T) {
	var owned bytes.Buffer
	tw := tar.NewWriter(&owned)
	for _, h := range []tar.Header{
		{Name: "lib/", Typeflag: tar.TypeDir, Mode: 0o755, Uid: 26, Gid: 102},
		{Name: "lib/x.so", Typeflag: tar.TypeReg, Mode: 0o600, Uid: 26},
		{Name: "root", Typeflag: tar.TypeReg, Mode: 0o644},
	} {
		if err := tw.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	flat, err := Flatten(t.Context(), plain(t, owned.Bytes(), tarOf(t, "f.wh.root ", "ffresh 1")), FlattenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Owned{{"lib", 26, 102}, {"lib/x.so", 26, 0}}
	if diff := cmp.Diff(want, flat.Owned); diff != "" {
		t.Errorf("Owned (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{".wh.root"}, flat.Whiteouts); diff != "" {
		t.Errorf("Whiteouts (-want +got):\n%s", diff)
	}
	if len(flat.Layers) != 2 || flat.Layers[0].Unpacked != int64(owned.Len()) || flat.Layers[0].Size != int64(owned.Len()) ||
		flat.Layers[0].Format != decompress.None || flat.Layers[0].MediaType != types.OCIUncompressedLayer || flat.Layers[0].Mismatched {
		t.Errorf("Layers = %+v", flat.Layers)
	}
}

// TestFlattenLenient: a wrong or missing diff_id is recorded, not an error.
func TestFlattenLenient(t *testing.T) {
	img := plain(t, tarOf(t, "fa 1"))
	for name, ids := range map[string][]v1.Hash{
		"wrong":   {{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}},
		"missing": nil,
	} {
		t.Run(name, func(t *testing.T) {
			config, err := img.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			config = config.DeepCopy()
			config.RootFS.DiffIDs = ids
			broken, err := mutate.ConfigFile(img, config)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Flatten(t.Context(), broken, FlattenOptions{}); err == nil {
				t.Error("Flatten() without Lenient succeeds")
			}
			flat, err := Flatten(t.Context(), broken, FlattenOptions{Lenient: true})
			if err != nil {
				t.Fatal(err)
			}
			if !flat.Layers[0].Mismatched || flat.Tree.Len() != 1 {
				t.Errorf("Layers = %+v, %d entries", flat.Layers, flat.Tree.Len())
			}
		})
	}
}

// TestFlattenLook: files are seen whole on their way, and stay only if wanted.
func TestFlattenLook(t *testing.T) {
	c := newCache(t)
	seen := map[string]string{}
	flat, err := Flatten(t.Context(), plain(t, tarOf(t, "fa.so 12", "fb.sql 3", "fREADME 4")), FlattenOptions{
		Cache: c,
		Keep:  func(e filetree.Entry) bool { return e.Path != "README" },
		Look: func(e filetree.Entry, r io.ReaderAt) (bool, error) {
			b, err := io.ReadAll(io.NewSectionReader(r, 0, e.Size))
			seen[e.Path] = string(b)
			return e.Path == "b.sql", err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a.so": "12", "b.sql": "3"}, seen); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
	for path, want := range map[string]bool{"a.so": false, "b.sql": true, "README": false} {
		e, _ := flat.Tree.Get(path)
		if _, got := c.Has(e.SHA256); got != want {
			t.Errorf("%s in the cache: %v, want %v", path, got, want)
		}
		if b, err := e.ReadAll(10); err != nil || int64(len(b)) != e.Size {
			t.Errorf("reading %s = %q, %v", path, b, err)
		}
	}
}

// TestFlattenMalformed: a malformed layer with the right digest is distinguished
// from a damaged one.
func TestFlattenMalformed(t *testing.T) {
	good := tarOf(t, "fa 1")
	packed := gzipped(t, good)
	for name, content := range map[string][]byte{
		"text":               []byte(strings.Repeat("text ", 500)),
		"cut tar":            good[:512],
		"cut gzip":           packed[:len(packed)-9],
		"garbage behind":     append(slices.Clone(packed), "garbage"...),
		"gzip of half a tar": gzipped(t, good[:512]),
	} {
		t.Run(name, func(t *testing.T) {
			var malformed *MalformedError
			if _, err := Flatten(t.Context(), plain(t, content), FlattenOptions{Lenient: true}); !errors.As(err, &malformed) {
				t.Errorf("Flatten() = %v, want a *MalformedError", err)
			}
			if _, err := Flatten(t.Context(), mislabelled{plain(t, content)}, FlattenOptions{Lenient: true}); !isDamaged(err) {
				t.Errorf("Flatten() of another blob than the manifest's = %v, want a digest mismatch", err)
			}
		})
	}
}

func gzipped(tb testing.TB, content []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// mislabelled is an image whose layers have other digests.
type mislabelled struct{ v1.Image }

func (m mislabelled) Layers() ([]v1.Layer, error) {
	layers, err := m.Image.Layers()
	for i := range layers {
		layers[i] = otherDigest{layers[i]}
	}
	return layers, err
}

type otherDigest struct{ v1.Layer }

func (otherDigest) Digest() (v1.Hash, error) {
	return v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}, nil
}

// TestFlattenGoesOn: what follows the end of an archive is seen by some
// programs alone.
func TestFlattenGoesOn(t *testing.T) {
	good := tarOf(t, "fa 1")
	for name, tc := range map[string]struct {
		content []byte
		want    bool
	}{
		"padding": {append(slices.Clone(good), make([]byte, 5000)...), false},
		"another": {append(slices.Clone(good), tarOf(t, "fb 1")...), true},
	} {
		flat, err := Flatten(t.Context(), plain(t, tc.content), FlattenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := flat.Layers[0].GoesOn; got != tc.want {
			t.Errorf("%s: GoesOn = %v", name, got)
		}
	}
}
