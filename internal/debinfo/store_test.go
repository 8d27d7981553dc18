package debinfo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/cache/cachetest"
	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/elf/elftest"
	"github.com/pgext/pgext/internal/filetree"
)

var (
	libx = string(elftest.Build(elftest.Spec{SONAME: "libx.so.1", Needed: []string{"libc.so.6"}}))
	// libbig is larger than what is held in memory, and so is big.dat.
	libbig = string(elftest.Build(elftest.Spec{SONAME: "libbig.so.1", Arch: "arm64", Size: inMemory + 1}))
	big    = strings.Repeat("0123456789abcdef", inMemory/16+1)
)

// everything is a package with all kinds of entries.
var everything = debtest.Deb{
	Control:     "Package: libx1\nVersion: 1.0-1\nArchitecture: amd64\nDescription: x\n more\n",
	Scripts:     map[string]string{"postinst": "#!/bin/sh\nexit 0\n", "md5sums": "0  usr/lib/libx.so.1\n"},
	Compression: decompress.Zstd,
	Files: []debtest.File{
		{Path: "usr/lib/libx.so.1.0", Content: libx},
		{Path: "usr/lib/libx.so.1", Link: "libx.so.1.0"},
		{Path: "usr/lib/libagain.so", HardLink: "usr/lib/libx.so.1.0"},
		{Path: "usr/lib/libbig.so.1", Content: libbig},
		{Path: "usr/lib/broken.so", Content: libx[:100]},
		{Path: "usr/lib/broken-again.so", HardLink: "usr/lib/broken.so"},
		{Path: "usr/share/big.dat", Content: big},
		{Path: "usr/share/empty", Content: ""},
		{Path: "usr/bin/su", Content: "root", Mode: 0o755 | fs.ModeSetuid},
		{Path: "usr/share/doc/libx1/copyright", Content: "MIT\n"},
	},
}

// fixture returns a cache that holds deb, and the digest of it.
func fixture(t *testing.T, deb debtest.Deb) (*cache.Cache, string) {
	t.Helper()
	c := cachetest.Open(t)
	return c, add(t, c, debtest.Build(deb))
}

func add(t *testing.T, c *cache.Cache, data []byte) string {
	t.Helper()
	sha, _ := cachetest.Put(t, c, bytes.NewReader(data))
	return sha
}

// drop removes a blob from the cache.
func drop(t *testing.T, c *cache.Cache, sha string) {
	t.Helper()
	f, err := c.Open(sha)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, c *cache.Cache, sha string, keep Keep) *Contents {
	t.Helper()
	got, err := New(c, Options{}).Read(t.Context(), sha, keep)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// tell puts Contents into lines, with what opening each file gives.
func tell(c *Contents) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v\n%v\n%v\n%v\n%s", c.Control, c.Scripts, c.Objects, c.Malformed, c.Tree.Dump())
	for e := range c.Tree.All() {
		if e.Kind != filetree.File {
			continue
		}
		data, err := e.ReadAll(100 << 20)
		var not *NotKeptError
		if err != nil && !errors.As(err, &not) {
			fmt.Fprintf(&b, "%s: %v\n", e.Path, err)
			continue
		}
		fmt.Fprintf(&b, "%s of %s: %v %d bytes\n", e.Origin.Path, e.Origin.Package, err == nil, len(data))
	}
	return b.String()
}

func paths(want ...string) Keep {
	return func(e filetree.Entry) bool {
		for _, p := range want {
			if e.Path == p {
				return true
			}
		}
		return false
	}
}

func sum(s string) string {
	b := sha256.Sum256([]byte(s))
	return hex.EncodeToString(b[:])
}

func TestRead(t *testing.T) {
	c, sha := fixture(t, everything)
	got := read(t, c, sha, paths("usr/lib/libx.so.1.0", "usr/lib/libbig.so.1"))
	if got.Control.Get("Package") != "libx1" || got.Scripts["postinst"] != "#!/bin/sh\nexit 0\n" || got.Scripts["md5sums"] == "" {
		t.Errorf("Control %v, Scripts %v", got.Control, got.Scripts)
	}
	for _, tc := range []struct {
		path, content string
		kept          bool
	}{
		{"usr/lib/libx.so.1.0", libx, true},
		{"usr/lib/libagain.so", libx, false},
		{"usr/lib/libbig.so.1", libbig, true},
		{"usr/lib/broken.so", libx[:100], false},
		{"usr/share/big.dat", big, false},
		{"usr/share/empty", "", false},
		{"usr/bin/su", "root", false},
	} {
		e, ok := got.Tree.Get(tc.path)
		if !ok || e.SHA256 != sum(tc.content) || e.Size != int64(len(tc.content)) || e.Origin != (filetree.Origin{Package: "libx1", Path: tc.path}) {
			t.Errorf("Tree.Get(%s) = %+v, %v", tc.path, e, ok)
			continue
		}
		data, err := e.ReadAll(100 << 20)
		var not *NotKeptError
		switch {
		case tc.kept && (err != nil || string(data) != tc.content):
			t.Errorf("reading %s: %d bytes, %v", tc.path, len(data), err)
		case !tc.kept && (!errors.As(err, &not) || not.Path != tc.path):
			t.Errorf("reading %s, which was not kept: error %v", tc.path, err)
		}
	}
	x := elf.Object{Arch: "amd64", Class: 2, Data: 1, Machine: 62, Type: "dyn", SONAME: "libx.so.1", Needed: []string{"libc.so.6"}}
	want := map[string]elf.Object{
		"usr/lib/libx.so.1.0": x, "usr/lib/libagain.so": x,
		"usr/lib/libbig.so.1": {Arch: "arm64", Class: 2, Data: 1, Machine: 183, Type: "dyn", SONAME: "libbig.so.1"},
	}
	if diff := cmp.Diff(want, got.Objects); diff != "" {
		t.Errorf("Objects (-want +got):\n%s", diff)
	}
	if len(got.Malformed) != 2 || got.Malformed["usr/lib/broken.so"] != got.Malformed["usr/lib/broken-again.so"] {
		t.Errorf("Malformed = %v", got.Malformed)
	}
}

// The tree is the package's, and a file is read the same whether it goes
// through memory, a temporary file or the cache.
func TestReadTwice(t *testing.T) {
	c, sha := fixture(t, everything)
	all := func(e filetree.Entry) bool { return e.Path != "usr/bin/su" }
	none := read(t, c, sha, nil)
	first := tell(read(t, c, sha, all))
	if diff := cmp.Diff(first, tell(read(t, c, sha, all))); diff != "" {
		t.Errorf("second Read (-first +second):\n%s", diff)
	}
	other, again := fixture(t, everything)
	if again != sha {
		t.Fatal("the fixture changes")
	}
	kept := read(t, other, sha, all)
	if diff := cmp.Diff(first, tell(kept)); diff != "" {
		t.Errorf("learning again, keeping at once (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(none.Objects, kept.Objects); diff != "" {
		t.Errorf("Objects without and with keeping (-without +with):\n%s", diff)
	}
	if diff := cmp.Diff(none.Tree.Dump(), kept.Tree.Dump()); diff != "" {
		t.Errorf("Tree without and with keeping (-without +with):\n%s", diff)
	}
}

func TestReadWithoutThePackage(t *testing.T) {
	c, sha := fixture(t, everything)
	libs := paths("usr/lib/libx.so.1.0", "usr/lib/libagain.so")
	want := tell(read(t, c, sha, libs))
	drop(t, c, sha)
	if diff := cmp.Diff(want, tell(read(t, c, sha, libs))); diff != "" {
		t.Errorf("Read without the package (-want +got):\n%s", diff)
	}
	_, err := New(c, Options{}).Read(t.Context(), sha, paths("usr/share/big.dat"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("keeping more without the package: error = %v, want fs.ErrNotExist", err)
	}
}

func TestReadKeepsMore(t *testing.T) {
	c, sha := fixture(t, everything)
	read(t, c, sha, paths("usr/share/doc/libx1/copyright"))
	if _, ok := c.Has(sum(libx)); ok {
		t.Error("the cache has a file that nobody asked for")
	}
	// A hard link's bytes are at its target.
	got := read(t, c, sha, paths("usr/lib/libagain.so", "usr/share/big.dat"))
	for path, want := range map[string]string{"usr/lib/libagain.so": libx, "usr/share/big.dat": big} {
		e, _ := got.Tree.Get(path)
		if data, err := e.ReadAll(100 << 20); err != nil || string(data) != want {
			t.Errorf("reading %s: %d bytes, %v", path, len(data), err)
		}
	}
	if e, _ := got.Tree.Get("usr/share/doc/libx1/copyright"); e.Content == nil {
		t.Error("a file has no Content")
	} else if _, err := e.Content.Open(); err == nil {
		t.Error("what an earlier Read kept opens in one that did not ask for it")
	}
}

// A kept file that got lost is taken from the package again.
func TestReadFindsLostFiles(t *testing.T) {
	c, sha := fixture(t, everything)
	keep := paths("usr/lib/libx.so.1.0", "usr/share/empty")
	want := tell(read(t, c, sha, keep))
	drop(t, c, sum(libx))
	if diff := cmp.Diff(want, tell(read(t, c, sha, keep))); diff != "" {
		t.Errorf("Read after a file was lost (-want +got):\n%s", diff)
	}
}

func TestReadDamagedRecord(t *testing.T) {
	c, sha := fixture(t, everything)
	want := tell(read(t, c, sha, nil))
	for _, record := range [][]byte{{}, []byte("nonsense"), bytes.Repeat([]byte{0xff}, 1000)} {
		if err := c.PutRecord(recordKind, sha, record); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, tell(read(t, c, sha, nil))); diff != "" {
			t.Errorf("Read with a damaged record (-want +got):\n%s", diff)
		}
		if got, ok := c.Record(recordKind, sha); !ok || bytes.Equal(got, record) {
			t.Error("the damaged record was not replaced")
		}
	}
}

func TestReadRefuses(t *testing.T) {
	c, sha := fixture(t, everything)
	s := New(c, Options{})
	var privilege *PrivilegeError
	for _, known := range []bool{false, true} {
		if _, err := s.Read(t.Context(), sha, paths("usr/bin/su")); !errors.As(err, &privilege) || privilege.Path != "usr/bin/su" {
			t.Errorf("keeping a set-user-ID file, known %v: error = %v", known, err)
		}
	}
	if _, ok := c.Has(sum("root")); ok {
		t.Error("the cache has a set-user-ID file's bytes")
	}
	if _, err := s.Read(t.Context(), sum("absent"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read of an absent package: error = %v, want fs.ErrNotExist", err)
	}
	garbage := add(t, c, []byte("garbage"))
	if _, err := s.Read(t.Context(), garbage, nil); err == nil || !strings.Contains(err.Error(), garbage) {
		t.Errorf("Read of garbage: error = %v, want one that names it", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fresh, sha := fixture(t, everything)
	if _, err := New(fresh, Options{}).Read(ctx, sha, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Read with a cancelled context: error = %v", err)
	}
}

// Nothing is left behind in the cache's or the system's temporary folder.
func TestReadLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	c, sha := fixture(t, everything)
	read(t, c, sha, paths("usr/share/big.dat"))
	for _, dir := range []string{temp, filepath.Join(c.Dir(), "v1", "tmp")} {
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("%s holds %v, %v", dir, left, err)
		}
	}
}

// A folder may be listed twice in a package.
func TestReadFolderTwice(t *testing.T) {
	c, sha := fixture(t, debtest.Deb{Files: []debtest.File{
		{Path: "usr/share/x/", Mode: 0o700}, {Path: "usr/share/x/a", Content: "a"}, {Path: "usr/share/x/", Mode: 0o755},
	}})
	got := read(t, c, sha, nil)
	if e, ok := got.Tree.Get("usr/share/x"); !ok || e.Mode != 0o755 {
		t.Errorf("Tree.Get(usr/share/x) = %+v, %v; want the mode of the last entry", e, ok)
	}
}

func TestReadAll(t *testing.T) {
	c := cachetest.Open(t)
	var requests []Request
	for i := range 20 {
		deb := everything
		deb.Control = fmt.Sprintf("Package: p%d\nVersion: 1\nArchitecture: amd64\n", i)
		deb.Files = append([]debtest.File{{Path: "pad", Content: strings.Repeat("x", i*1000)}}, everything.Files[:2]...)
		deb.Compression = decompress.Gzip
		requests = append(requests, Request{SHA256: add(t, c, debtest.Build(deb)), Keep: paths("usr/lib/libx.so.1.0")})
	}
	requests = append(requests, requests[0])
	s := New(c, Options{Jobs: 4})
	for _, known := range []bool{false, true} {
		got, err := s.ReadAll(t.Context(), requests)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range got {
			if want := fmt.Sprintf("p%d", i%20); c.Control.Get("Package") != want {
				t.Errorf("known %v: result %d is of %s, want %s", known, i, c.Control.Get("Package"), want)
			}
			if e, _ := c.Tree.Get("usr/lib/libx.so.1.0"); e.SHA256 != sum(libx) {
				t.Errorf("known %v: result %d lacks its file", known, i)
			}
		}
	}
	requests[3].SHA256 = sum("absent")
	if _, err := s.ReadAll(t.Context(), requests); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadAll with an absent package: error = %v, want fs.ErrNotExist", err)
	}
}
