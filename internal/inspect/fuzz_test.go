package inspect

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/oci"
)

// FuzzInspect checks that an arbitrary layer and label cause no panic, and that
// the findings are deterministic.
func FuzzInspect(f *testing.F) {
	f.Add(tarOf(f, vector("amd64")...), label(f, nil)[metadata.Label])
	f.Add(tarOf(f, database("p", "1", vector("amd64")...)...), `{"schema":1}`)
	f.Add(tarOf(f, member{path: "lib/a", link: "../../.."}, member{path: "lib/.wh.a"}, member{path: "../x"}), "")
	f.Add([]byte("no tar"), "null")
	c, err := cache.Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		img, err := mutate.AppendLayers(empty.Image, plain(data, types.OCIUncompressedLayer))
		if err != nil {
			t.Skip(err)
		}
		if img, err = mutate.Config(img, v1.Config{Labels: map[string]string{metadata.Label: text}}); err != nil {
			t.Skip(err)
		}
		a, err := oci.FromImage(img)
		if err != nil {
			t.Skip(err)
		}
		first, err := Inspect(t.Context(), a, c)
		if err != nil {
			return
		}
		again, err := Inspect(t.Context(), a, c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(texts(first), texts(again)); diff != "" {
			t.Errorf("findings differ (-first +again):\n%s", diff)
		}
		if d := Compare(first, again); !d.Identical || !d.Images[0].Same() {
			t.Errorf("Compare() = %+v", d)
		}
	})
}
