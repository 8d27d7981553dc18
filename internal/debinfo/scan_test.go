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
	// libbig and big.dat are larger than inMemory.
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

func scan(t *testing.T, c *cache.Cache, sha string, keep Keep) *Info {
	t.Helper()
	got, err := New(c, Options{}).Scan(t.Context(), sha, keep)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// dump prints an Info, with the result of opening each file.
func dump(c *Info) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v\n%v\n%v\n%v\n%s", c.Control, c.Scripts, c.Objects, c.Malformed, c.Tree.Dump())
	for e := range c.Tree.All() {
		if e.Kind != filetree.File {
			continue
		}
		data, err := e.ReadAll(100 << 20)
		if err != nil && !strings.Contains(err.Error(), "was not kept") {
			fmt.Fprintf(&b, "%s: %v\n", e.Path, err)
			continue
		}
		fmt.Fprintf(&b, "%s of %s: %v %d bytes\n", e.Origin.Path, e.Origin.Package, err == nil, len(data))
	}
	return b.String()
}

// hint returns the hint of an error, "" for none.
func hint(err error) string {
	var h interface{ Hint() string }
	if !errors.As(err, &h) {
		return ""
	}
	return h.Hint()
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

func TestScan(t *testing.T) {
	c, sha := fixture(t, everything)
	got := scan(t, c, sha, paths("usr/lib/libx.so.1.0", "usr/lib/libbig.so.1"))
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
		switch {
		case tc.kept && (err != nil || string(data) != tc.content):
			t.Errorf("reading %s: %d bytes, %v", tc.path, len(data), err)
		case !tc.kept && (err == nil || !strings.Contains(err.Error(), "opening "+tc.path+" of libx1: the file was not kept")):
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

// A scan returns the same result from the package and from the record, whether a
// file is read through memory, a temporary file or the cache.
func TestScanTwice(t *testing.T) {
	c, sha := fixture(t, everything)
	all := func(e filetree.Entry) bool { return e.Path != "usr/bin/su" }
	none := scan(t, c, sha, nil)
	first := dump(scan(t, c, sha, all))
	if diff := cmp.Diff(first, dump(scan(t, c, sha, all))); diff != "" {
		t.Errorf("second Scan (-first +second):\n%s", diff)
	}
	other, again := fixture(t, everything)
	if again != sha {
		t.Fatal("the fixture changes")
	}
	kept := scan(t, other, sha, all)
	if diff := cmp.Diff(first, dump(kept)); diff != "" {
		t.Errorf("second cache, keeping at once (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(none.Objects, kept.Objects); diff != "" {
		t.Errorf("Objects without and with keeping (-without +with):\n%s", diff)
	}
	if diff := cmp.Diff(none.Tree.Dump(), kept.Tree.Dump()); diff != "" {
		t.Errorf("Tree without and with keeping (-without +with):\n%s", diff)
	}
}

func TestScanWithoutThePackage(t *testing.T) {
	c, sha := fixture(t, everything)
	libs := paths("usr/lib/libx.so.1.0", "usr/lib/libagain.so")
	want := dump(scan(t, c, sha, libs))
	drop(t, c, sha)
	if diff := cmp.Diff(want, dump(scan(t, c, sha, libs))); diff != "" {
		t.Errorf("Scan without the package (-want +got):\n%s", diff)
	}
	_, err := New(c, Options{}).Scan(t.Context(), sha, paths("usr/share/big.dat"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("keeping more without the package: error = %v, want fs.ErrNotExist", err)
	}
}

func TestScanKeepsMore(t *testing.T) {
	c, sha := fixture(t, everything)
	scan(t, c, sha, paths("usr/share/doc/libx1/copyright"))
	if _, ok := c.Has(sum(libx)); ok {
		t.Error("the cache has a file that was not requested")
	}
	// The content of a hard link is stored at its target.
	got := scan(t, c, sha, paths("usr/lib/libagain.so", "usr/share/big.dat"))
	for path, want := range map[string]string{"usr/lib/libagain.so": libx, "usr/share/big.dat": big} {
		e, _ := got.Tree.Get(path)
		if data, err := e.ReadAll(100 << 20); err != nil || string(data) != want {
			t.Errorf("reading %s: %d bytes, %v", path, len(data), err)
		}
	}
	if e, _ := got.Tree.Get("usr/share/doc/libx1/copyright"); e.Content == nil {
		t.Error("a file has no Content")
	} else if _, err := e.Content.Open(); err == nil {
		t.Error("a file kept by an earlier scan opens in a scan that did not request it")
	}
}

// A kept file that the cache has lost is extracted again.
func TestScanFindsLostFiles(t *testing.T) {
	c, sha := fixture(t, everything)
	keep := paths("usr/lib/libx.so.1.0", "usr/share/empty")
	want := dump(scan(t, c, sha, keep))
	drop(t, c, sum(libx))
	if diff := cmp.Diff(want, dump(scan(t, c, sha, keep))); diff != "" {
		t.Errorf("Scan after a file was lost (-want +got):\n%s", diff)
	}
}

func TestScanDamagedRecord(t *testing.T) {
	c, sha := fixture(t, everything)
	want := dump(scan(t, c, sha, nil))
	for _, record := range [][]byte{{}, []byte("nonsense"), bytes.Repeat([]byte{0xff}, 1000)} {
		if err := c.PutRecord(recordKind, sha, record); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, dump(scan(t, c, sha, nil))); diff != "" {
			t.Errorf("Scan with a damaged record (-want +got):\n%s", diff)
		}
		if got, ok := c.Record(recordKind, sha); !ok || bytes.Equal(got, record) {
			t.Error("the damaged record was not replaced")
		}
	}
}

func TestScanRefuses(t *testing.T) {
	c, sha := fixture(t, everything)
	s := New(c, Options{})
	for _, known := range []bool{false, true} {
		if _, err := s.Scan(t.Context(), sha, paths("usr/bin/su")); err == nil || !strings.Contains(err.Error(), "keeping usr/bin/su: the file is set-user-ID") || hint(err) == "" {
			t.Errorf("keeping a set-user-ID file, known %v: error = %v", known, err)
		}
	}
	if _, ok := c.Has(sum("root")); ok {
		t.Error("the cache has a set-user-ID file's bytes")
	}
	if _, err := s.Scan(t.Context(), sum("absent"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Scan of an absent package: error = %v, want fs.ErrNotExist", err)
	}
	garbage := add(t, c, []byte("garbage"))
	if _, err := s.Scan(t.Context(), garbage, nil); err == nil || !strings.Contains(err.Error(), garbage) {
		t.Errorf("Scan of garbage: error = %v, want one that names it", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fresh, sha := fixture(t, everything)
	if _, err := New(fresh, Options{}).Scan(ctx, sha, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Scan with a cancelled context: error = %v", err)
	}
}

// A scan leaves no file in the temporary folders of the cache and the system.
func TestScanLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	c, sha := fixture(t, everything)
	scan(t, c, sha, paths("usr/share/big.dat"))
	for _, dir := range []string{temp, filepath.Join(c.Dir(), "v1", "tmp")} {
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("%s holds %v, %v", dir, left, err)
		}
	}
}

// A folder may be listed twice in a package.
func TestScanFolderTwice(t *testing.T) {
	c, sha := fixture(t, debtest.Deb{Files: []debtest.File{
		{Path: "usr/share/x/", Mode: 0o700}, {Path: "usr/share/x/a", Content: "a"}, {Path: "usr/share/x/", Mode: 0o755},
	}})
	got := scan(t, c, sha, nil)
	if e, ok := got.Tree.Get("usr/share/x"); !ok || e.Mode != 0o755 {
		t.Errorf("Tree.Get(usr/share/x) = %+v, %v; want the mode of the last entry", e, ok)
	}
}

func TestScanAll(t *testing.T) {
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
		got, err := s.ScanAll(t.Context(), requests)
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
	if _, err := s.ScanAll(t.Context(), requests); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ScanAll with an absent package: error = %v, want fs.ErrNotExist", err)
	}
}
