package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/oci"
)

// TestAmbiguousManifest: a manifest that is an image and an index is refused,
// whatever media type index.json has for it; so is a wrong size.
func TestAmbiguousManifest(t *testing.T) {
	idx := buildIndex(t, newCache(t), "amd64")
	raw := must(idx.RawManifest())
	img := must(idx.Image(must(idx.IndexManifest()).Manifests[0].Digest))
	both := must(img.RawManifest())
	both = append([]byte(`{"manifests":[],`), both[1:]...)
	for _, tc := range []struct {
		name string
		text []byte
		kind types.MediaType
		more int64
		want string
	}{
		{"an image called one", both, types.OCIManifestSchema1, 0, "both an image manifest and an index"},
		{"an image called an index", both, types.OCIImageIndex, 0, "both an image manifest and an index"},
		{"an index with layers", append([]byte(`{"layers":[],`), raw[1:]...), types.OCIImageIndex, 0, "both an image manifest and an index"},
		{"another size", raw, types.OCIImageIndex, 1, "size mismatch"},
	} {
		l := At(t.TempDir())
		write(t, l, Output{Set: oci.Set{Index: idx}, Tags: []string{"a"}})
		digest, size, err := v1.SHA256(bytes.NewReader(tc.text))
		if err != nil {
			t.Fatal(err)
		}
		list, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{{
			MediaType: tc.kind, Digest: digest, Size: size + tc.more, Annotations: map[string]string{oci.RefName: "a"},
		}}})
		if err := errors.Join(err,
			os.WriteFile(filepath.Join(l.Dir(), "blobs", "sha256", digest.Hex), tc.text, 0o600),
			os.WriteFile(filepath.Join(l.Dir(), "index.json"), list, 0o600),
		); err != nil {
			t.Fatal(err)
		}
		_, err = At(l.Dir()).Collect("a")
		var e interface {
			error
			ExitCode() int
		}
		if !errors.As(err, &e) || e.ExitCode() != 13 || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: Collect() = %v, want %q and exit code 13", tc.name, err, tc.want)
		}
	}
}

// TestAbsent: the error for a missing blob names the layout that lists it, not the
// one that is written.
func TestAbsent(t *testing.T) {
	l := At(t.TempDir())
	idx := buildIndex(t, newCache(t), "amd64")
	write(t, l, Output{Set: oci.Set{Index: idx}, Tags: []string{"a"}})
	img := must(idx.Image(must(idx.IndexManifest()).Manifests[0].Digest))
	for _, digest := range []v1.Hash{must(img.Manifest()).Layers[0].Digest, must(img.Digest())} {
		if err := os.Remove(filepath.Join(l.Dir(), "blobs", "sha256", digest.Hex)); err != nil {
			t.Fatal(err)
		}
		c, err := At(l.Dir()).Collect("a")
		if err == nil {
			err = At(t.TempDir()).Write(t.Context(), Output{Set: oci.Set{Index: c.Index}, Tags: []string{"a"}})
		}
		var absent *failure.Error
		if want := fmt.Sprintf("layout %s: blob %s not found", l.Dir(), digest); !errors.As(err, &absent) || absent.Error() != want || absent.ExitCode() != 13 || absent.Hint() == "" {
			t.Errorf("got %v, want %s with exit code 13 and a hint", err, want)
		}
	}
}
