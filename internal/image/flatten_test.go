package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/filetree"
)

// onDisk is a folder as a tree.
func onDisk(tb testing.TB, root string) filetree.Tree {
	tb.Helper()
	var all []filetree.Entry
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		e := filetree.Entry{Path: name, Mode: info.Mode().Perm(), ModTime: info.ModTime()}
		switch {
		case d.IsDir():
			e.Kind = filetree.Dir
		case d.Type() == fs.ModeSymlink:
			e.Kind = filetree.Symlink
			e.Link, err = os.Readlink(path)
		default:
			var content []byte
			content, err = os.ReadFile(path)
			e = file(name, string(content), info.ModTime())
			e.Mode = info.Mode().Perm()
		}
		all = append(all, e)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return tree(tb, all...)
}

// member is a tar entry as text: type, name and, after a space, its content
// or link target.
type member string

func tarOf(tb testing.TB, members ...member) []byte {
	tb.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, m := range members {
		name, rest, _ := strings.Cut(string(m[1:]), " ")
		h := &tar.Header{Name: name, Mode: 0o644, ModTime: older}
		switch m[0] {
		case 'f':
			h.Typeflag, h.Size = tar.TypeReg, int64(len(rest))
		case 'd':
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		case 'l':
			h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, rest, 0o777
		case 'h':
			h.Typeflag, h.Linkname = tar.TypeLink, rest
		case 'c':
			h.Typeflag = tar.TypeChar
		}
		if err := tw.WriteHeader(h); err != nil {
			tb.Fatal(err)
		}
		if m[0] == 'f' {
			if _, err := io.WriteString(tw, rest); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if err := tw.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// plain is an image of uncompressed layers.
func plain(tb testing.TB, layers ...[]byte) v1.Image {
	tb.Helper()
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	for _, l := range layers {
		var err error
		if img, err = mutate.AppendLayers(img, static.NewLayer(l, types.OCIUncompressedLayer)); err != nil {
			tb.Fatal(err)
		}
	}
	return img
}

func TestFlatten(t *testing.T) {
	for _, tc := range []struct {
		name   string
		layers [][]member
		want   string // path=content, path -> link, path/ and special ones
	}{
		{"later layers win", [][]member{{"fa 1", "fb 1"}, {"fa 2", "fc 1"}}, "a=2 b=1 c=1"},
		{"names as others write them", [][]member{{"d./", "f./a 1", "f/b 2", "fc//d/./e 3"}}, "a=1 b=2 c/ c/d/ c/d/e=3"},
		{"whiteout", [][]member{{"fd/a 1", "fd/b 1", "fe/x 1"}, {"fd/.wh.a ", "f.wh.e "}}, "d/ d/b=1"},
		{"whiteout spares its own layer", [][]member{{"fd/a 1"}, {"fd/a 2", "fd/.wh.a "}}, "d/ d/a=2"},
		{"whiteout of a folder that comes again", [][]member{{"fd/s/a 1", "fd/t/a 1"}, {"fd/s/b 2", "dd/t/", "fd/.wh.s ", "fd/.wh.t "}}, "d/ d/s/ d/s/b=2 d/t/"},
		{"opaque folder after what is in it", [][]member{{"fd/s/a 1", "fd/b 1"}, {"dd/s/", "fd/s/c 2", "fd/.wh..wh..opq "}}, "d/ d/s/ d/s/c=2"},
		{"opaque folder", [][]member{{"fd/a 1", "fd/s/b 1"}, {"fd/c 2", "fd/.wh..wh..opq "}}, "d/ d/c=2"},
		{"file over folder and back", [][]member{{"fd/a 1", "fe 1"}, {"fd 2", "fe/x 2"}}, "error: entry \"e/x\": its parent is not a directory"},
		{"folder keeps what is in it", [][]member{{"fd/a 1"}, {"dd/"}}, "d/ d/a=1"},
		{"hard link", [][]member{{"fa 1"}, {"hb a", "fa 2"}}, "a=2 b=1"},
		{"through a link", [][]member{{"dusr/lib/", "llib usr/lib"}, {"flib/x 1"}}, "lib -> usr/lib usr/ usr/lib/ usr/lib/x=1"},
		{"a link that leaves the root does not", [][]member{{"lup ../../..", "labs /etc"}, {"fup/x 1", "fabs/y 1"}}, "abs -> /etc etc/ etc/y=1 up -> ../../.. x=1"},
		{"special", [][]member{{"cdev/null", "fa 1"}, {"fdev/x 1"}}, "a=1 dev/ dev/x=1 special dev/null"},
		{"loop", [][]member{{"la a"}, {"fa/x 1"}}, "error: entry \"a/x\": its parent leads through more than 40 links"},
		{"escaping", [][]member{{"f../a 1"}}, "error: entry \"../a\": leaves the root"},
		{"escaping hard link", [][]member{{"ha ../b"}}, "error: entry \"a\": link to \"../b\": leaves the root"},
		{"hard link to nothing", [][]member{{"ha b"}}, "error: entry \"a\": link to \"b\": no such entry"},
		{"hard link to a folder", [][]member{{"db/", "ha b"}}, "error: entry \"a\": link to \"b\": not a file"},
		{"whiteout of the root", [][]member{{"fd/.wh... "}}, "error: entry \"d/.wh...\": leaves the root"},
		{"long part", [][]member{{member("f" + strings.Repeat("x", 256))}}, "error: entry \"" + strings.Repeat("x", 200) + "…\": a part of the path has 256 bytes, more than 255"},
		{"deep", [][]member{{member("f" + strings.Repeat("x/", 300) + "x")}}, "error: entry \"" + strings.Repeat("x/", 100) + "…\": more than 256 directories in each other"},
		{"below a file", [][]member{{"fa 1", "fa/b 1"}}, "error: entry \"a/b\": its parent is not a directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var layers [][]byte
			for _, l := range tc.layers {
				layers = append(layers, tarOf(t, l...))
			}
			for _, o := range []FlattenOptions{{}, {Cache: newCache(t)}} {
				flat, err := Flatten(t.Context(), plain(t, layers...), o)
				if got := summary(t, flat, err); got != tc.want {
					t.Errorf("Flatten() = %s\nwant        %s", got, tc.want)
				}
			}
		})
	}
}

func summary(tb testing.TB, flat Flat, err error) string {
	tb.Helper()
	if err != nil {
		parts := strings.SplitN(err.Error(), ": ", 3)
		return "error: " + parts[2]
	}
	var out []string
	for e := range flat.Tree.All() {
		switch e.Kind {
		case filetree.Dir:
			out = append(out, e.Path+"/")
		case filetree.Symlink:
			out = append(out, e.Path+" -> "+e.Link)
		default:
			b, err := e.ReadAll(1 << 20)
			if err != nil {
				tb.Fatal(err)
			}
			if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != e.SHA256 {
				tb.Errorf("%s has SHA-256 %x, want %s", e.Path, sum, e.SHA256)
			}
			out = append(out, e.Path+"="+string(b))
		}
	}
	for _, s := range flat.Special {
		out = append(out, "special "+s.Path)
	}
	return strings.Join(out, " ")
}

func TestFlattenReadsWhatNewWrote(t *testing.T) {
	for _, compression := range []Compression{Gzip, Zstd} {
		l := layer(t, vector(t), LayerOptions{Compression: compression})
		img, err := New(Spec{Platform: v1.Platform{Architecture: "amd64"}, Epoch: newer, Parts: []Part{{l, ""}}, Labels: map[string]string{"a": "b"}})
		if err != nil {
			t.Fatal(err)
		}
		flat, err := Flatten(t.Context(), img, FlattenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		again := layer(t, flat.Tree, LayerOptions{Compression: compression})
		if again.digest != l.digest {
			t.Errorf("%s: the layer of what was read is %v, was %v", compression, again.digest, l.digest)
		}
		if labels, err := Labels(img); err != nil || !cmp.Equal(labels, map[string]string{"a": "b"}) {
			t.Errorf("Labels() = %v, %v", labels, err)
		}
	}
}

func TestFlattenLimits(t *testing.T) {
	bomb := func() []byte {
		var b bytes.Buffer
		z, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		for range 64 {
			if _, err := z.Write(make([]byte, 1<<20)); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}()
	var links []member
	for i := range 20 {
		links = append(links, member(fmt.Sprintf("hl%d a", i)))
	}
	for _, tc := range []struct {
		name  string
		layer []byte
		o     FlattenOptions
		want  string
	}{
		{"bytes", tarOf(t, "fa 0123456789"), FlattenOptions{MaxSize: 9}, "decompressed size is larger than 9 bytes"},
		{"bytes of hard links", tarOf(t, append([]member{member("fa " + strings.Repeat("x", 4096))}, links...)...), FlattenOptions{MaxSize: 40960}, "more than 40960 bytes"},
		{"entries", tarOf(t, "fa 1", "fb 1", "fc 1"), FlattenOptions{MaxEntries: 2}, "more than 2 entries"},
		{"directories", tarOf(t, "fa/b/c/d/e 1"), FlattenOptions{MaxEntries: 3}, "more than 3 directories"},
		{"bomb", bomb, FlattenOptions{MaxSize: 1 << 20}, "decompressed size is larger than 1048576 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Flatten(t.Context(), plain(t, tc.layer), tc.o)
			if err == nil || !strings.HasSuffix(err.Error(), tc.want) {
				t.Errorf("Flatten() error = %v, want %s", err, tc.want)
			}
		})
	}
}

// TestFlattenVerifies gives an image whose digests are wrong.
func TestFlattenVerifies(t *testing.T) {
	good := tarOf(t, "fa 1")
	img := plain(t, good)
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	wrong := config.DeepCopy()
	wrong.RootFS.DiffIDs[0].Hex = strings.Repeat("0", 64)
	badDiff, err := mutate.ConfigFile(img, wrong)
	if err != nil {
		t.Fatal(err)
	}
	none := config.DeepCopy()
	none.RootFS.DiffIDs = nil
	noDiff, err := mutate.ConfigFile(img, none)
	if err != nil {
		t.Fatal(err)
	}
	badBlob, err := mutate.AppendLayers(empty.Image, lying{static.NewLayer(good, types.OCIUncompressedLayer)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name    string
		img     v1.Image
		damaged bool
	}{{"diff_id", badDiff, true}, {"blob", badBlob, true}, {"number of diff_ids", noDiff, false}} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Flatten(t.Context(), tc.img, FlattenOptions{})
			if err == nil || isDamaged(err) != tc.damaged {
				t.Errorf("Flatten() error = %v", err)
			}
		})
	}
}

func FuzzFlatten(f *testing.F) {
	f.Add(tarOf(f, "fa 1", "la/b c"), tarOf(f, "f.wh.a ", "hb a"))
	f.Add(tarOf(f, "dusr/", "llib usr", "flib/x 1"), tarOf(f, "fusr/.wh..wh..opq ", "cdev/null"))
	f.Add([]byte{0x1f, 0x8b, 8}, []byte("\x28\xb5\x2f\xfd"))
	f.Fuzz(func(t *testing.T, low, high []byte) {
		flat, err := Flatten(t.Context(), plain(t, low, high), FlattenOptions{MaxSize: 1 << 20, MaxEntries: 1000})
		if err != nil {
			return
		}
		for e := range flat.Tree.All() {
			if !fs.ValidPath(e.Path) {
				t.Errorf("path %q", e.Path)
			}
		}
		if _, err := NewLayer(t.Context(), flat.Tree, LayerOptions{Cache: newCache(t)}); err != nil {
			t.Errorf("the layer of what was read: %v", err)
		}
	})
}
