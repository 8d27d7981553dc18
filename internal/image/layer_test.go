package image

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/oracle"
)

// TestLayerListing shows what a layer holds as GNU tar sees it: directories
// made up, modes reduced, generated files and directories with the newest time
// of the layer's files.
func TestLayerListing(t *testing.T) {
	tar := oracle.Need(t, "tar")
	long := "share/" + strings.Repeat("d", 120) + "/" + strings.Repeat("f", 120) + ".sql"
	for _, tc := range []struct {
		name string
		tree filetree.Tree
		o    LayerOptions
		want string
	}{
		{"extension", vector(t), LayerOptions{}, `
drwxr-xr-x 0/0               0 2026-03-01 12:00:00 bin/
-rwxr-xr-x 0/0              10 2026-01-02 03:04:05 bin/tool
drwxr-xr-x 0/0               0 2026-03-01 12:00:00 lib/
lrwxrwxrwx 0/0               0 2026-01-02 03:04:05 lib/vector-0.so -> vector.so
-rw-r--r-- 0/0           13000 2026-03-01 12:00:00 lib/vector.so
drwxr-xr-x 0/0               0 2026-03-01 12:00:00 share/
drwxr-xr-x 0/0               0 2026-03-01 12:00:00 share/extension/
-rw-r--r-- 0/0              21 2026-01-02 03:04:05 share/extension/vector--0.8.1.sql
-rw-r--r-- 0/0              26 2026-01-02 03:04:05 share/extension/vector.control
drwxr-xr-x 0/0               0 2026-03-01 12:00:00 usr/
drwxr-xr-x 0/0               0 2026-03-01 12:00:00 usr/lib/
-rw-r--r-- 0/0              10 2026-03-01 12:00:00 usr/lib/os-release
`},
		{"clamped, zstd", libraries(t), LayerOptions{Compression: Zstd, Epoch: older.Add(-time.Hour)}, `
drwxr-xr-x 0/0               0 2026-01-02 02:04:05 system/
-rw-r--r-- 0/0           40000 2026-01-02 02:04:05 system/libx.so.1
`},
		{"long names, other alphabets", tree(t, file(long, "", older), file("share/ä", "x", older)), LayerOptions{}, `
drwxr-xr-x 0/0               0 2026-01-02 03:04:05 share/
drwxr-xr-x 0/0               0 2026-01-02 03:04:05 ` + filepath.Dir(long) + `/
-rw-r--r-- 0/0               0 2026-01-02 03:04:05 ` + long + `
-rw-r--r-- 0/0               1 2026-01-02 03:04:05 share/\303\244
`},
		{"only generated", tree(t, file("a", "x", time.Time{})), LayerOptions{Epoch: older}, `
-rw-r--r-- 0/0               1 2026-01-02 03:04:05 a
`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := layer(t, tc.tree, tc.o)
			cmd := exec.Command(tar, "--full-time", "--numeric-owner", "-tv")
			cmd.Env = []string{"TZ=UTC", "LC_ALL=C"}
			cmd.Stdin = strings.NewReader(contents(t, l.Uncompressed))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("tar: %v\n%s", err, out)
			}
			if diff := cmp.Diff(string(out), strings.TrimPrefix(tc.want, "\n")); diff != "" {
				t.Errorf("tar -tv (-got +want):\n%s", diff)
			}
			if tc.o.Compression == Zstd {
				return // validate knows gzip only
			}
			if err := validate.Layer(l); err != nil {
				t.Errorf("validate.Layer() = %v", err)
			}
		})
	}
}

// TestLayerTwice makes the same layer in other circumstances.
func TestLayerTwice(t *testing.T) {
	big := tree(t, file("share/big", noise(2<<20+17), older), file("share/small", "x", newer))
	for _, c := range []Compression{Gzip, Zstd} {
		t.Run(string(c), func(t *testing.T) {
			want := layer(t, big, LayerOptions{Compression: c, Jobs: 1})
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(7))
			defer syscall.Umask(syscall.Umask(0o077))
			t.Setenv("TZ", "Asia/Tokyo")
			for _, jobs := range []int{0, 2, 9} {
				got := layer(t, big, LayerOptions{Compression: c, Jobs: jobs})
				if got.digest != want.digest || got.diffID != want.diffID || got.size != want.size {
					t.Errorf("with %d jobs: %v, %v; want %v, %v", jobs, got.digest, got.diffID, want.digest, want.diffID)
				}
			}
		})
	}
}

// noise is n bytes that compress to about half.
func noise(n int) string {
	r := rand.NewChaCha8([32]byte{})
	b := make([]byte, n/2+1)
	_, _ = r.Read(b) // never fails
	return hex.EncodeToString(b)[:n]
}

// unreadable is content that must not be needed.
type unreadable struct{}

func (unreadable) Open() (io.ReadCloser, error) { return nil, errors.New("was opened") }

func TestLayerFromCache(t *testing.T) {
	c := newCache(t)
	first := layer(t, vector(t), LayerOptions{Cache: c})
	var closed []filetree.Entry
	for e := range vector(t).All() {
		if e.Kind == filetree.File {
			e.Content = unreadable{}
		}
		closed = append(closed, e)
	}
	again := layer(t, tree(t, closed...), LayerOptions{Cache: c})
	if *again != *first {
		t.Errorf("the second layer is %+v, the first %+v", again, first)
	}
	t.Run("a removed blob is made again", func(t *testing.T) {
		f, err := first.cache.Open(first.digest.Hex)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if err := os.Remove(f.Name()); err != nil {
			t.Fatal(err)
		}
		if _, err := NewLayer(t.Context(), tree(t, closed...), LayerOptions{Cache: c}); err == nil || !strings.HasSuffix(err.Error(), "was opened") {
			t.Errorf("NewLayer() error = %v, want one from opening the content", err)
		}
		if l := layer(t, vector(t), LayerOptions{Cache: c}); *l != *first {
			t.Errorf("the third layer is %+v, the first %+v", l, first)
		}
	})
}

// TestLayerFollowsItsTree changes one thing at a time.
func TestLayerFollowsItsTree(t *testing.T) {
	c := newCache(t)
	base := layer(t, libraries(t), LayerOptions{Cache: c})
	entry, _ := libraries(t).Get("system/libx.so.1")
	for _, tc := range []struct {
		name string
		edit func(*filetree.Entry, *LayerOptions)
		same bool
	}{
		{"origin", func(e *filetree.Entry, _ *LayerOptions) { e.Origin.Package = "libx1" }, true},
		{"bits that are dropped", func(e *filetree.Entry, _ *LayerOptions) { e.Mode = 0o600 }, true},
		{"a later epoch", func(_ *filetree.Entry, o *LayerOptions) { o.Epoch = newer }, true},
		{"execute bit", func(e *filetree.Entry, _ *LayerOptions) { e.Mode = 0o744 }, false},
		{"time", func(e *filetree.Entry, _ *LayerOptions) { e.ModTime = newer }, false},
		{"path", func(e *filetree.Entry, _ *LayerOptions) { e.Path += ".2" }, false},
		{"an earlier epoch", func(_ *filetree.Entry, o *LayerOptions) { o.Epoch = older.Add(-time.Second) }, false},
		{"compression", func(_ *filetree.Entry, o *LayerOptions) { o.Compression = Zstd }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, o := entry, LayerOptions{Cache: c}
			tc.edit(&e, &o)
			if got := layer(t, tree(t, e), o); (got.digest == base.digest) != tc.same {
				t.Errorf("same digest = %v, want %v", !tc.same, tc.same)
			}
		})
	}
}

func TestNewLayerRefuses(t *testing.T) {
	short := file("a", "abc", older)
	short.Size = 4
	long := file("a", "abc", older)
	long.Size = 2
	other := file("a", "abc", older)
	other.Content = filetree.Bytes([]byte("abd"))
	none := file("a", "abc", older)
	none.Content = nil
	for _, tc := range []struct {
		name string
		all  []filetree.Entry
		o    LayerOptions
		want string
	}{
		{"short content", []filetree.Entry{short}, LayerOptions{}, `making layer: entry "a": size mismatch: got 3 bytes, want 4`},
		{"long content", []filetree.Entry{long}, LayerOptions{}, `making layer: entry "a": archive/tar: write too long`},
		{"other content", []filetree.Entry{other}, LayerOptions{}, `making layer: entry "a": digest mismatch: got a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9, want ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad`},
		{"no content", []filetree.Entry{none}, LayerOptions{}, `making layer: entry "a": no content for 3 bytes`},
		{"below a file", []filetree.Entry{file("a", "", older), file("a/b", "", older)}, LayerOptions{}, `making layer: entry "a/b": its parent "a" is not a directory`},
		{"compression", nil, LayerOptions{Compression: "xz"}, `making layer: unknown compression "xz"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.o.Cache = newCache(t)
			_, err := NewLayer(t.Context(), tree(t, tc.all...), tc.o)
			if err == nil || err.Error() != tc.want {
				t.Errorf("NewLayer() error = %v, want %s", err, tc.want)
			}
		})
	}
}

// TestGzip compares the blocks deflated side by side with the standard
// library's reader, around the sizes where blocks begin and end.
func TestGzip(t *testing.T) {
	data := []byte(noise(3*gzipBlock + 5))
	for _, n := range []int{0, 1, gzipWindow, gzipBlock - 1, gzipBlock, gzipBlock + 1, 2 * gzipBlock, len(data)} {
		var out bytes.Buffer
		z := newGzipWriter(&out, 3)
		for rest := data[:n]; len(rest) > 0; {
			k := min(len(rest), 70_001)
			if _, err := z.Write(rest[:k]); err != nil {
				t.Fatal(err)
			}
			rest = rest[k:]
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(&out)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, data[:n]) {
			t.Errorf("%d bytes come back as %d, %v", n, len(got), err)
		}
	}
}

// full is a disk without space after n bytes.
type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

func TestGzipReportsFullDisk(t *testing.T) {
	for _, room := range []int{0, 100, gzipBlock} {
		z := newGzipWriter(&full{room}, 2)
		if _, err := io.WriteString(z, noise(3*gzipBlock)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Close() after %d bytes = %v, want %v", room, err, syscall.ENOSPC)
		}
	}
}

// TestCompressVersion holds the cache key to what go.mod pins.
func TestCompressVersion(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "github.com/klauspost/compress " + compressVersion + "\n"; !strings.Contains(string(mod), want) {
		t.Errorf("go.mod does not require %q: raise compressVersion, and OutputVersion when bytes change", want)
	}
}

func BenchmarkLayer(b *testing.B) {
	t := tree(b, file("share/big", noise(64<<20), older))
	for _, c := range []Compression{Gzip, Zstd} {
		b.Run(string(c), func(b *testing.B) {
			b.SetBytes(64 << 20)
			for b.Loop() {
				layer(b, t, LayerOptions{Compression: c})
			}
		})
	}
}
