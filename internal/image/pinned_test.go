package image

import (
	"math/rand/v2"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/filetree"
)

// TestPinnedBytes compares the digests of the layers, config, manifest and index of
// a fixed tree with fixed ones. A change of the bytes, such as another level of
// compression, requires a new OutputVersion and a change of this table.
func TestPinnedBytes(t *testing.T) {
	if OutputVersion != 1 {
		t.Errorf("OutputVersion = %d, the digests are those of version 1", OutputVersion)
	}
	c := newCache(t)
	pinned := tree(t,
		file("lib/vector.so", words(1_500_000), newer), // two gzip blocks
		file("share/extension/vector.control", "default_version = '0.8.1'\n", older),
		program("bin/tool", "#!/bin/sh\n", older),
		link("lib/vector-0.so", "vector.so", older),
		filetree.Entry{Path: "lib", Kind: filetree.Dir, Mode: 0o700, ModTime: older},
	)
	libraries := layer(t, libraries(t), LayerOptions{Cache: c, Compression: Zstd})
	extension := layer(t, pinned, LayerOptions{Cache: c})
	zstd := layer(t, pinned, LayerOptions{Cache: c, Compression: Zstd})
	img, err := New(Spec{
		Platform: v1.Platform{Architecture: "arm64", Variant: "v8"}, Epoch: newer,
		Parts:  []Part{{libraries, "pgext: libraries"}, {extension, "pgext: extension"}},
		Labels: map[string]string{"label": "x"}, Annotations: map[string]string{"annotation": "y"},
	})
	if err != nil {
		t.Fatal(err)
	}
	index, err := NewIndex([]v1.Image{img}, map[string]string{"annotation": "z"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, want string
		digest     func() (v1.Hash, error)
	}{
		{"uncompressed layer", "adab39c8e25489167cd83d1cef2cbf29a159bfecbaed6add90d883f825f483de", extension.DiffID},
		{"gzip layer", "5152b053d2244686a0ac0d13b4f8af1123c9849fe4c96c6dc678e49e48c75907", extension.Digest},
		{"zstd layer", "7e1f400d18e0a3aeb5936fa31afc0c85653f47992d8e2ded08c73987c8c3b193", zstd.Digest},
		{"config", "5c59945b4282c47f795f402afffd41519ffb239d14505b1891826de625b2d401", img.ConfigName},
		{"manifest", "5c4b1862e27d41090aeb4b9c5f4e5ab32d0f5627229448b627d0da80dc76e14b", img.Digest},
		{"index", "20c471dda7367e187f6902ed9b3ab2490c79649824023746c15d38cf70c1ce73", index.Digest},
	} {
		got, err := tc.digest()
		if err != nil || got.Hex != tc.want {
			t.Errorf("%s: got SHA-256 %s, %v; want %s", tc.name, got.Hex, err, tc.want)
		}
	}
}

// words returns n bytes of pseudo-random words. Repeated words at varying distances
// make the compressed bytes depend on the level.
func words(n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	var vocabulary []string
	for range 500 {
		word := make([]byte, 3+r.IntN(9))
		for i := range word {
			word[i] = byte('a' + r.IntN(26))
		}
		vocabulary = append(vocabulary, string(word))
	}
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(vocabulary[r.IntN(len(vocabulary))])
		b.WriteByte(' ')
	}
	return b.String()[:n]
}
