package cache_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/cache"
)

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func open(t *testing.T, dir string) *cache.Cache {
	t.Helper()
	c, err := cache.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func put(t *testing.T, c *cache.Cache, data []byte) string {
	t.Helper()
	sha, err := write(c, data, "")
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

func write(c *cache.Cache, data []byte, want string) (string, error) {
	w, err := c.Create()
	if err != nil {
		return "", err
	}
	defer w.Abort()
	if _, err := io.Copy(w, bytes.NewReader(data)); err != nil {
		return "", err
	}
	sha, _, err := w.Commit(want)
	return sha, err
}

func read(c *cache.Cache, sha string) (string, error) {
	f, err := c.Open(sha)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

func blobFile(c *cache.Cache, sha string) string {
	return filepath.Join(c.Dir(), "v1", "blobs", "sha256", sha[:2], sha)
}

// files lists the files below dir, relative to it.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// overwrite replaces the content of a finished file, which is read-only, in
// place and gives it another time, as a failing disk or a careless person would.
func overwrite(t *testing.T, path, content string) {
	t.Helper()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

func TestWriterCommits(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "not", "there", "yet"))
	w, err := c.Create()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"hello, ", "", "world"} {
		if _, err := io.WriteString(w, s); err != nil {
			t.Fatal(err)
		}
	}
	back := make([]byte, 5)
	if _, err := w.ReadAt(back, 7); err != nil || string(back) != "world" {
		t.Errorf("ReadAt = %q, %v", back, err)
	}
	want := digest([]byte("hello, world"))
	if _, ok := c.Has(want); ok {
		t.Error("the blob is visible before Commit")
	}
	sha, size, err := w.Commit(want)
	if err != nil || sha != want || size != 12 {
		t.Fatalf("Commit = %s, %d, %v; want %s, 12", sha, size, err, want)
	}
	w.Abort()
	if n, ok := c.Has(sha); !ok || n != 12 {
		t.Errorf("Has = %d, %v", n, ok)
	}
	if s, err := read(c, sha); err != nil || s != "hello, world" {
		t.Errorf("content = %q, %v", s, err)
	}
	if _, err := w.Write([]byte("more")); err == nil {
		t.Error("Write after Commit did not fail")
	}
	if _, _, err := w.Commit(""); err == nil {
		t.Error("a second Commit did not fail")
	}
	want1 := []string{filepath.Join("v1", "blobs", "sha256", sha[:2], sha)}
	if diff := cmp.Diff(files(t, c.Dir()), want1); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
}

func TestTwiceGivesTheSame(t *testing.T) {
	c := open(t, t.TempDir())
	one := put(t, c, []byte("same"))
	two := put(t, c, []byte("same"))
	if one != two {
		t.Errorf("got %s, then %s", one, two)
	}
	if got := files(t, c.Dir()); len(got) != 1 {
		t.Errorf("files = %v", got)
	}
}

func TestCommitRefusesAnotherDigest(t *testing.T) {
	c := open(t, t.TempDir())
	want := digest([]byte("expected"))
	_, err := write(c, []byte("something else"), want)
	var mismatch *cache.MismatchError
	if !errors.As(err, &mismatch) {
		t.Fatalf("err = %v, want a MismatchError", err)
	}
	expected := &cache.MismatchError{Got: digest([]byte("something else")), Want: want, Size: 14}
	if diff := cmp.Diff(mismatch, expected); diff != "" {
		t.Error(diff)
	}
	if mismatch.ExitCode() != 13 {
		t.Errorf("exit code %d", mismatch.ExitCode())
	}
	if got := files(t, c.Dir()); got != nil {
		t.Errorf("left behind: %v", got)
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	c := open(t, t.TempDir())
	w, err := c.Create()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "half"); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	w.Abort()
	if got := files(t, c.Dir()); got != nil {
		t.Errorf("left behind: %v", got)
	}
}

func TestOpenRefusesWhatIsNotADigest(t *testing.T) {
	c := open(t, t.TempDir())
	for _, sha := range []string{"", "../../etc/passwd", strings.Repeat("a", 63), strings.Repeat("A", 64), strings.Repeat("g", 64)} {
		if _, err := c.Open(sha); err == nil {
			t.Errorf("Open(%q) did not fail", sha)
		}
		if _, ok := c.Has(sha); ok {
			t.Errorf("Has(%q)", sha)
		}
		if _, err := c.Content(sha, -1).Open(); err == nil {
			t.Errorf("Content(%q).Open did not fail", sha)
		}
	}
}

func TestOpenAbsent(t *testing.T) {
	c := open(t, t.TempDir())
	if _, err := c.Open(digest(nil)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open = %v", err)
	}
	if _, err := c.Content(digest(nil), 0).Open(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Content.Open = %v", err)
	}
}

func TestDamagedBlob(t *testing.T) {
	for _, tt := range []struct{ name, content string }{
		{"changed", "hellO, world"},
		{"truncated", "hello"},
		{"empty, as after a power cut", ""},
		{"grown", "hello, world, and more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			sha := put(t, open(t, dir), []byte("hello, world"))
			c := open(t, dir) // as another process would
			overwrite(t, blobFile(c, sha), tt.content)
			_, err := c.Open(sha)
			var damaged *cache.DamagedError
			if !errors.As(err, &damaged) || !errors.Is(err, fs.ErrNotExist) || !damaged.Removed {
				t.Fatalf("Open = %v", err)
			}
			if _, ok := c.Has(sha); ok {
				t.Error("the damaged blob is still there")
			}
			put(t, c, []byte("hello, world"))
			if s, err := read(c, sha); err != nil || s != "hello, world" {
				t.Errorf("after writing it again: %q, %v", s, err)
			}
		})
	}
}

func TestDamageAfterVerificationIsSeen(t *testing.T) {
	c := open(t, t.TempDir())
	sha := put(t, c, []byte("hello, world"))
	if _, err := read(c, sha); err != nil {
		t.Fatal(err)
	}
	overwrite(t, blobFile(c, sha), "hellO, world")
	if _, err := read(c, sha); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open = %v", err)
	}
}

func TestContent(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 10_000)
	for _, tt := range []struct {
		name   string
		size   int64
		damage bool
		ok     bool
	}{
		{name: "right", size: int64(len(data)), ok: true},
		{name: "size not known", size: -1, ok: true},
		{name: "wrong size", size: 7},
		{name: "damaged", size: int64(len(data)), damage: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			sha := put(t, open(t, dir), data)
			c := open(t, dir)
			if tt.damage {
				overwrite(t, blobFile(c, sha), "X"+string(data[1:]))
			}
			for range 2 { // the second time it is known to be good, or gone
				got, err := readContent(c, sha, tt.size)
				if (err == nil) != tt.ok {
					t.Fatalf("err = %v, want ok %v", err, tt.ok)
				}
				if tt.ok && !bytes.Equal(got, data) {
					t.Error("content differs")
				}
			}
			if _, has := c.Has(sha); has == tt.damage {
				t.Errorf("Has = %v afterwards", has)
			}
		})
	}
}

func readContent(c *cache.Cache, sha string, size int64) ([]byte, error) {
	r, err := c.Content(sha, size).Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestRecords(t *testing.T) {
	c := open(t, t.TempDir())
	keys := []string{"", "abc", digest(nil), "https://example.org/dists/x/InRelease", "../../escape", strings.Repeat("long", 1000), "ABC"}
	for i, key := range keys {
		if _, ok := c.Record("kind", key); ok {
			t.Errorf("Record(%q) before it was put", key)
		}
		if err := c.PutRecord("kind", key, []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	for i, key := range keys {
		if got, ok := c.Record("kind", key); !ok || !bytes.Equal(got, []byte{byte(i)}) {
			t.Errorf("Record(%q) = %v, %v", key, got, ok)
		}
	}
	if _, ok := c.Record("Other/Kind", "abc"); ok {
		t.Error("kinds are not apart")
	}
	if err := c.PutRecord("kind", "abc", nil); err != nil {
		t.Fatal(err)
	}
	if got, ok := c.Record("kind", "abc"); !ok || len(got) != 0 {
		t.Errorf("replaced record = %v, %v", got, ok)
	}
	for _, f := range files(t, c.Dir()) {
		if !strings.HasPrefix(f, filepath.Join("v1", "records", "kind")+string(filepath.Separator)) {
			t.Errorf("unexpected file %s", f)
		}
	}
}

func TestDamagedRecordIsAbsent(t *testing.T) {
	for _, tt := range []struct {
		name   string
		damage func([]byte) []byte
	}{
		{"changed", func(b []byte) []byte { b[0] ^= 1; return b }},
		{"truncated", func(b []byte) []byte { return b[:len(b)-1] }},
		{"empty", func([]byte) []byte { return nil }},
		{"grown", func(b []byte) []byte { return append(b, 0) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := open(t, t.TempDir())
			if err := c.PutRecord("kind", "key", []byte("data")); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(c.Dir(), "v1", "records", "kind", "key")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, path, string(tt.damage(b)))
			if got, ok := c.Record("kind", "key"); ok {
				t.Errorf("Record = %q", got)
			}
		})
	}
}

func TestRecordUnderAnothersNameIsAbsent(t *testing.T) {
	c := open(t, t.TempDir())
	if err := c.PutRecord("kind", "one", []byte("data")); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(c.Dir(), "v1", "records", "kind")
	if err := os.Rename(filepath.Join(dir, "one"), filepath.Join(dir, "two")); err != nil {
		t.Fatal(err)
	}
	if got, ok := c.Record("kind", "two"); ok {
		t.Errorf("Record = %q", got)
	}
}

func TestManyGoroutines(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	data := bytes.Repeat([]byte("x"), 300_000)
	sha := digest(data)
	var wg sync.WaitGroup
	for i := range 16 {
		c := []*cache.Cache{a, b}[i%2]
		wg.Go(func() {
			if _, err := write(c, data, sha); err != nil {
				t.Error(err)
			}
			if s, err := read(c, sha); err != nil || s != string(data) {
				t.Errorf("reading: %d bytes, %v", len(s), err)
			}
			if err := c.PutRecord("kind", "key", data); err != nil {
				t.Error(err)
			}
			if got, ok := c.Record("kind", "key"); !ok || !bytes.Equal(got, data) {
				t.Errorf("Record = %d bytes, %v", len(got), ok)
			}
		})
	}
	wg.Wait()
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("files = %v", got)
	}
}

func TestOpenCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", file} {
		if _, err := cache.Open(dir); err == nil {
			t.Errorf("Open(%q) did not fail", dir)
		}
	}
	t.Chdir(t.TempDir())
	c := open(t, "here")
	if !filepath.IsAbs(c.Dir()) {
		t.Errorf("Dir() = %s", c.Dir())
	}
	if got := files(t, c.Dir()); got != nil {
		t.Errorf("Open created %v", got)
	}
}

func TestDefaultDir(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/xdg")
	if dir, err := cache.DefaultDir(); err != nil || dir != "/xdg/pgext" {
		t.Errorf("DefaultDir = %s, %v", dir, err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	_, err := cache.DefaultDir()
	var hinter interface{ Hint() string }
	if !errors.As(err, &hinter) || !strings.Contains(hinter.Hint(), "--cache-dir") {
		t.Errorf("DefaultDir without a home = %v", err)
	}
}

func BenchmarkRecord(b *testing.B) {
	c, err := cache.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	if err := c.PutRecord("kind", "key", make([]byte, 1<<20)); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(1 << 20)
	for b.Loop() {
		if _, ok := c.Record("kind", "key"); !ok {
			b.Fatal("absent")
		}
	}
}
