package rootfs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/filetree"
)

// oneFile is a tree with the file x.
func oneFile() (filetree.Tree, error) {
	return filetree.New([]filetree.Entry{{Path: "x", Mode: 0o644, Content: filetree.Bytes([]byte("x")), Size: 1}})
}

// backdate sets the time of a folder's last use.
func backdate(t *testing.T, dir string, ago time.Duration) {
	t.Helper()
	at := time.Now().Add(-ago)
	if err := os.Chtimes(dir, at, at); err != nil {
		t.Fatal(err)
	}
}

func openAgain(t *testing.T, c *cache.Cache) *Store {
	t.Helper()
	s, err := Open(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestExpire: Open removes the folders that were not used for a long time, and
// keeps those in use whatever their time is.
func TestExpire(t *testing.T) {
	s, _ := store(t, nil)
	old := func(name string, ago time.Duration) string {
		t.Helper()
		dir := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Join(dir, "below"), 0o755); err != nil {
			t.Fatal(err)
		}
		backdate(t, dir, ago)
		return dir
	}
	inUse, err := s.FromImage(t.Context(), "sha256:used", oneFile)
	if err != nil {
		t.Fatal(err)
	}
	backdate(t, inUse, 10*unused)
	old("debs-old", unused+time.Hour)
	old("debs-new", unused-time.Hour)
	old("operand-old", unused+time.Hour)
	old("image-old", unused+time.Hour)
	old("unknown-old", 10*unused)
	earlier, later := old("../rootfs-1", unused+time.Hour), old(fmt.Sprintf("../rootfs-%d", version+1), 10*unused)
	younger := old("../rootfs-2", unused-time.Hour)

	openAgain(t, s.cache)
	if diff := cmp.Diff([]string{"debs-new", filepath.Base(inUse), "unknown-old"}, names(t, s.dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for dir, want := range map[string]bool{earlier: false, later: true, younger: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", filepath.Base(dir), err == nil, want)
		}
	}

	// Use sets the time.
	again := openAgain(t, s.cache)
	if _, err := again.FromImage(t.Context(), "sha256:used", oneFile); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(inUse); err != nil || time.Since(info.ModTime()) > time.Hour {
		t.Errorf("%v, %v", info.ModTime(), err)
	}
}

// TestExpireMost: of each kind the most recently used folders stay, up to a
// limit.
func TestExpireMost(t *testing.T) {
	s, _ := store(t, nil)
	for kind, n := range most {
		for i := range n + 3 {
			dir := filepath.Join(s.dir, fmt.Sprintf("%s%03d", kind, i))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			backdate(t, dir, time.Duration(i)*time.Minute)
		}
	}
	openAgain(t, s.cache)
	left := names(t, s.dir)
	for kind, n := range most {
		var got []string
		for _, name := range left {
			if strings.HasPrefix(name, kind) {
				got = append(got, name)
			}
		}
		if last := fmt.Sprintf("%s%03d", kind, n-1); len(got) != n || got[n-1] != last {
			t.Errorf("%s: %d folders up to %s, want %d up to %s", kind, len(got), got[len(got)-1], n, last)
		}
	}
}

// TestExpireWhileUsed: a returned folder exists although other stores expire
// folders at the same time.
func TestExpireWhileUsed(t *testing.T) {
	s, _ := store(t, nil)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 25 {
				user := openAgain(t, s.cache)
				dir, err := user.FromImage(t.Context(), "sha256:shared", oneFile)
				if err != nil {
					t.Error(err)
					return
				}
				at := time.Now().Add(-2 * unused)
				if err := os.Chtimes(dir, at, at); err != nil {
					t.Error(err)
				}
				openAgain(t, s.cache)
				if _, err := os.Stat(filepath.Join(dir, "x")); err != nil {
					t.Error(err)
				}
				user.used[dir].Close()
			}
		})
	}
	group.Wait()
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}
