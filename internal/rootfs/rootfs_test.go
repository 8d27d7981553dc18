package rootfs

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/debextract"
	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/cache/cachetest"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/oracle"
)

// store returns a store and puts packages into its cache.
func store(t *testing.T, debs map[string]debtest.Deb) (*Store, []Deb) {
	t.Helper()
	c := cachetest.Open(t)
	s, err := Open(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var list []Deb
	for name, d := range debs {
		list = append(list, put(t, c, name, debtest.Build(d)))
	}
	return s, list
}

func put(t *testing.T, c *cache.Cache, name string, data []byte) Deb {
	t.Helper()
	sum, _ := cachetest.Put(t, c, bytes.NewReader(data))
	return Deb{Name: name, SHA256: sum}
}

// dump lists what is below a folder: mode, path, link target or content.
func dump(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, p)
		line := info.Mode().String() + " " + name
		if info.Mode()&fs.ModeSymlink != 0 {
			target, _ := os.Readlink(p)
			line += " -> " + target
		} else if info.Mode().IsRegular() {
			b, _ := os.ReadFile(p)
			line += fmt.Sprintf(" %q", b)
		}
		out = append(out, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "\n") + "\n"
}

var system = map[string]debtest.Deb{
	"shell": {Files: []debtest.File{
		{Path: "bin/dash", Mode: 0o755, Content: "dash"},
		{Path: "bin/sh", Link: "dash"},
		{Path: "usr/share/doc/dash/copyright", Content: "text"},
	}},
	"base-passwd": {Files: []debtest.File{
		{Path: "usr/share/base-passwd/passwd.master", Content: "root:*:0:0:root:/root:/bin/bash\n"},
		{Path: "usr/share/base-passwd/group.master", Content: "root:*:0:\n"},
	}},
	"base-files": {Files: []debtest.File{
		{Path: "bin", Link: "usr/bin"},
		{Path: "usr/bin/su", Mode: 0o755 | fs.ModeSetuid, Content: "su"},
		{Path: "usr/bin/su2", HardLink: "usr/bin/su"},
	}},
	"awk": {
		Scripts: map[string]string{"postinst": "#!/bin/sh\nupdate-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz\n"},
		Files:   []debtest.File{{Path: "usr/bin/mawk", Mode: 0o755, Content: "mawk"}},
	},
	"gawk": {
		Scripts: map[string]string{"postinst": "update-alternatives --install /usr/bin/awk awk /usr/bin/gawk 10\nupdate-alternatives --install /usr/bin/no no /usr/bin/absent 10\n"},
		Files:   []debtest.File{{Path: "usr/bin/gawk", Mode: 0o755, Content: "gawk"}},
	},
}

const systemDump = `Lrwxrwxrwx bin -> usr/bin
drwxr-xr-x dev
drwxr-xr-x etc
-rw-r--r-- etc/group "root:*:0:\npostgres:x:26:\n"
-rw-r--r-- etc/hosts "127.0.0.1 localhost\n::1 localhost\n"
Lrwxrwxrwx etc/localtime -> /usr/share/zoneinfo/Etc/UTC
-rw-r--r-- etc/nsswitch.conf "passwd: files\ngroup: files\nhosts: files dns\n"
-rw-r--r-- etc/passwd "root:*:0:0:root:/root:/bin/bash\npostgres:x:26:26:PostgreSQL:/var/lib/postgresql:/bin/bash\n"
-rw-r--r-- etc/timezone "Etc/UTC\n"
drwxr-xr-x extensions
Lrwxrwxrwx lib -> usr/lib
Lrwxrwxrwx lib64 -> usr/lib64
drwxr-xr-x proc
drwxr-xr-x run
Lrwxrwxrwx sbin -> usr/sbin
drwxr-xr-x sys
drwxr-xr-x tmp
drwxr-xr-x usr
drwxr-xr-x usr/bin
Lrwxrwxrwx usr/bin/awk -> /usr/bin/gawk
-rwxr-xr-x usr/bin/dash "dash"
-rwxr-xr-x usr/bin/gawk "gawk"
-rwxr-xr-x usr/bin/mawk "mawk"
Lrwxrwxrwx usr/bin/sh -> dash
-rwxr-xr-x usr/bin/su "su"
-rwxr-xr-x usr/bin/su2 "su"
drwxr-xr-x usr/lib
drwxr-xr-x usr/lib64
drwxr-xr-x usr/sbin
drwxr-xr-x usr/share
drwxr-xr-x usr/share/base-passwd
-rw-r--r-- usr/share/base-passwd/group.master "root:*:0:\n"
-rw-r--r-- usr/share/base-passwd/passwd.master "root:*:0:0:root:/root:/bin/bash\n"
drwxr-xr-x var
drwxr-xr-x var/lib
drwxr-xr-x var/lib/postgresql
Lrwxrwxrwx var/run -> /run
`

func TestFromDebs(t *testing.T) {
	s, debs := store(t, system)
	dir, err := s.FromDebs(t.Context(), debs)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dump(t, dir), systemDump); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}

	t.Run("again", func(t *testing.T) {
		before, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(debs)
		again, err := s.FromDebs(t.Context(), debs)
		if err != nil || again != dir {
			t.Errorf("in another order: got %s, %v, want %s", again, err, dir)
		}
		if after, err := os.Stat(dir); err != nil || !after.ModTime().Equal(before.ModTime()) {
			t.Errorf("it was made again")
		}
	})
	t.Run("twice gives the same", func(t *testing.T) {
		other, debs := store(t, system)
		again, err := other.FromDebs(t.Context(), debs)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dump(t, again), dump(t, dir)); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
		if filepath.Base(again) != filepath.Base(dir) {
			t.Errorf("got %s, want %s", again, dir)
		}
	})
}

func TestFromDebsErrors(t *testing.T) {
	for _, tc := range []struct {
		name string
		debs map[string]debtest.Deb
		want error
	}{
		{"hostile path", map[string]debtest.Deb{"x": {Files: []debtest.File{{Path: "x", Content: "x", Edit: func(h *tar.Header) { h.Name = "../x" }}}}}, debextract.ErrEscapingPath},
		{"two packages, one path", map[string]debtest.Deb{
			"x": {Files: []debtest.File{{Path: "a/b", Content: "x"}}}, "y": {Files: []debtest.File{{Path: "a/b", Content: "y"}}},
		}, fs.ErrExist},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, debs := store(t, tc.debs)
			if dir, err := s.FromDebs(t.Context(), debs); !errors.Is(err, tc.want) {
				t.Errorf("got %q, %v, want %v", dir, err, tc.want)
			}
			empty(t, s)
		})
	}
	t.Run("not in the cache", func(t *testing.T) {
		s, _ := store(t, nil)
		if _, err := s.FromDebs(t.Context(), []Deb{{"x", strings.Repeat("0", 64)}}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("through the link of another package", func(t *testing.T) {
		outside := t.TempDir()
		s, debs := store(t, map[string]debtest.Deb{"a": {Files: []debtest.File{{Path: "opt", Link: outside}}}})
		b := put(t, s.cache, "b", debtest.Build(debtest.Deb{Files: []debtest.File{{Path: "opt/file", Content: "x"}}}))
		if _, err := s.FromDebs(t.Context(), append(debs, b)); err == nil {
			t.Error("it was unpacked")
		}
		if left, _ := os.ReadDir(outside); len(left) > 0 {
			t.Errorf("outside of the root: %v", left)
		}
	})
}

// empty fails the test if an incomplete root is left.
func empty(t *testing.T, s *Store) {
	t.Helper()
	if left, _ := filepath.Glob(s.dir + "/*"); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestOpenRemovesLeftovers(t *testing.T) {
	s, _ := store(t, nil)
	half := filepath.Join(s.dir, temporary+"1", "a")
	if err := os.MkdirAll(half, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(half, 0); err != nil {
		t.Fatal(err)
	}
	unlock, err := tryLock(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(s.cache, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(half); err != nil {
		t.Errorf("a root that is being made was removed: %v", err)
	}
	unlock()
	if _, err := Open(s.cache, Options{}); err != nil {
		t.Fatal(err)
	}
	empty(t, s)
}

func TestOneMakesOthersWait(t *testing.T) {
	s, debs := store(t, system)
	dirs := make([]string, 8)
	var group sync.WaitGroup
	for i := range dirs {
		group.Go(func() {
			other, err := Open(s.cache, Options{Jobs: 1})
			if err == nil {
				dirs[i], err = other.FromDebs(t.Context(), debs)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := slices.Compact(dirs); len(got) != 1 {
		t.Errorf("made %v", got)
	}
}

func TestFromImage(t *testing.T) {
	s, _ := store(t, nil)
	file := func(path string, mode fs.FileMode) filetree.Entry {
		return filetree.Entry{Path: path, Mode: mode, Content: filetree.Bytes([]byte("x")), Size: 1}
	}
	tree, err := filetree.New([]filetree.Entry{
		{Path: "lib", Kind: filetree.Dir, Mode: 0o755},
		file("lib/good.so", 0o644), file("lib/private.so", 0o600), file("lib/program", 0o755),
		{Path: "lib/link", Kind: filetree.Symlink, Link: "good.so"},
		{Path: "closed", Kind: filetree.Dir, Mode: 0o700},
		file("closed/file", 0o644),
	})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := s.FromImage(t.Context(), "sha256:1", func() (filetree.Tree, error) { return tree, nil })
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"lib": "drwxr-xr-x", "lib/good.so": "-r--r--r--", "lib/private.so": "----------",
		"lib/program": "-r-xr-xr-x", "lib/link": "Lrwxrwxrwx", "closed": "d-w-------",
	} {
		info, err := os.Lstat(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().String(); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if err := removeAll(dir); err != nil {
		t.Errorf("removing it: %v", err)
	}
}

// TestAgainstDpkgDeb: a package is unpacked as dpkg-deb unpacks it.
func TestAgainstDpkgDeb(t *testing.T) {
	dpkgDeb := oracle.Need(t, "dpkg-deb")
	d := debtest.Build(debtest.Deb{Files: []debtest.File{
		{Path: "usr/bin/x", Mode: 0o755, Content: "x"},
		{Path: "usr/lib/y", Content: "y"},
		{Path: "etc/z", Link: "../usr/lib/y"},
		{Path: "usr/lib/h", HardLink: "usr/lib/y"},
	}})
	s, _ := store(t, nil)
	got, err := s.FromDebs(t.Context(), []Deb{put(t, s.cache, "x", d)})
	if err != nil {
		t.Fatal(err)
	}
	file, want := filepath.Join(t.TempDir(), "x.deb"), t.TempDir()
	if err := os.WriteFile(file, d, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(dpkgDeb, "-x", file, want).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	have := dump(t, got)
	for line := range strings.Lines(dump(t, want)) {
		if !bytes.Contains([]byte(have), []byte(line)) {
			t.Errorf("missing: %s", line)
		}
	}
}

// TestFullDisk: a write error has a hint, for a file anywhere.
func TestFullDisk(t *testing.T) {
	s, _ := store(t, nil)
	full := filetree.Entry{Path: "lib/x.so", Mode: 0o644, Size: 1, Content: fullDisk{}}
	tree, err := filetree.New([]filetree.Entry{full})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.FromImage(t.Context(), "sha256:1", func() (filetree.Tree, error) { return tree, nil })
	var refused *cache.WriteError
	if !errors.As(err, &refused) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(refused.Hint(), "make room") {
		t.Errorf("got %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(s.dir, temporary+"*")); len(left) > 0 || err != nil {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// fullDisk is a content that cannot be copied.
type fullDisk struct{}

func (fullDisk) Open() (io.ReadCloser, error) {
	return nil, &fs.PathError{Op: "write", Path: "somewhere", Err: syscall.ENOSPC}
}
