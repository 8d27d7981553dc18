package debextract

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/filetree"
)

// open opens a package in memory.
func open(deb []byte, o Options) (*Package, error) {
	return Open(bytes.NewReader(deb), int64(len(deb)), o)
}

// list walks over a package and returns an entry and its content a line.
func list(deb []byte, o Options) (string, error) {
	p, err := open(deb, o)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = p.Walk(context.Background(), func(e Entry, r io.Reader) error {
		content, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%v %v %s %d %s", e.Kind, e.Mode, e.ModTime.Format(time.RFC3339), e.Size, e.Path)
		if e.Kind == filetree.Symlink {
			fmt.Fprintf(&out, " -> %s", e.Link)
		}
		if e.HardLink != "" {
			fmt.Fprintf(&out, " = %s", e.HardLink)
		}
		fmt.Fprintf(&out, " %q\n", content)
		return nil
	})
	return out.String(), err
}

var formats = []decompress.Format{decompress.None, decompress.Gzip, decompress.XZ, decompress.Zstd}

func TestWalk(t *testing.T) {
	long := strings.Repeat("a-long-name/", 20) + "x"
	files := []debtest.File{
		{Path: "usr/lib/x.so", Content: "abc", ModTime: time.Unix(1_700_000_000, 999).In(time.FixedZone("", 3600))},
		{Path: "usr/lib/y.so", HardLink: "usr/lib/x.so"},
		{Path: "usr/lib/w.so", HardLink: "usr/lib/y.so"},
		{Path: "usr/lib/z.so", Link: "../../usr/lib/x.so"},
		{Path: "usr/lib/v.so", HardLink: "usr/lib/z.so"},
		{Path: "etc/alternatives/x", Link: "/usr/lib/x.so"},
		{Path: "tmp/", Mode: 0o777 | fs.ModeSticky},
		{Path: "tmp/"},
		{Path: "usr/bin/x", Mode: 0o755},
		{Path: long, Content: "long", Edit: func(h *tar.Header) { h.Format = tar.FormatPAX }},
	}
	want := `d -rwxr-xr-x 2026-01-02T03:04:05Z 0 usr ""
d -rwxr-xr-x 2026-01-02T03:04:05Z 0 usr/lib ""
f -rw-r--r-- 2023-11-14T22:13:20Z 3 usr/lib/x.so "abc"
f -rw-r--r-- 2026-01-02T03:04:05Z 3 usr/lib/y.so = usr/lib/x.so ""
f -rw-r--r-- 2026-01-02T03:04:05Z 3 usr/lib/w.so = usr/lib/x.so ""
l -rwxrwxrwx 2026-01-02T03:04:05Z 0 usr/lib/z.so -> ../../usr/lib/x.so ""
l -rw-r--r-- 2026-01-02T03:04:05Z 0 usr/lib/v.so -> ../../usr/lib/x.so ""
d -rwxr-xr-x 2026-01-02T03:04:05Z 0 etc ""
d -rwxr-xr-x 2026-01-02T03:04:05Z 0 etc/alternatives ""
l -rwxrwxrwx 2026-01-02T03:04:05Z 0 etc/alternatives/x -> /usr/lib/x.so ""
d trwxrwxrwx 2026-01-02T03:04:05Z 0 tmp ""
d -rwxr-xr-x 2026-01-02T03:04:05Z 0 tmp ""
d -rwxr-xr-x 2026-01-02T03:04:05Z 0 usr/bin ""
f -rwxr-xr-x 2026-01-02T03:04:05Z 0 usr/bin/x ""
f -rw-r--r-- 2026-01-02T03:04:05Z 4 ` + long + ` "long"
`
	for _, f := range formats {
		t.Run(f.String(), func(t *testing.T) {
			got, err := list(debtest.Build(debtest.Deb{Files: files, Compression: f}), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var lines strings.Builder
			for line := range strings.Lines(got) {
				if !strings.Contains(line, `a-long-name ""`) { // its folders
					lines.WriteString(line)
				}
			}
			if diff := cmp.Diff(want, lines.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func typeflag(flag byte) func(*tar.Header) {
	return func(h *tar.Header) { h.Typeflag, h.Size = flag, 0 }
}

func named(name string) func(*tar.Header) {
	return func(h *tar.Header) { h.Name = name }
}

func TestWalkRefuses(t *testing.T) {
	file := debtest.File{Path: "a", Content: "abc"}
	for _, tc := range []struct {
		name  string
		files []debtest.File
		want  error
		text  string
	}{
		{"absolute path", []debtest.File{{Edit: named("/etc/passwd")}}, ErrAbsolutePath, `entry "/etc/passwd" has an absolute path`},
		{"escaping path", []debtest.File{{Edit: named("../x")}}, ErrEscapingPath, `entry "../x" leaves the root`},
		{"dot dot inside", []debtest.File{{Edit: named("./a/../b")}}, ErrEscapingPath, `entry "./a/../b" leaves the root`},
		{"empty path", []debtest.File{{Edit: named("")}}, ErrInvalidPath, `entry "" has an invalid path`},
		{"not UTF-8", []debtest.File{{Edit: named("./a\xff")}}, ErrInvalidPath, `entry "./a\xff" has an invalid path`},
		{"a file called like a folder", []debtest.File{{Edit: func(h *tar.Header) {
			h.Name, h.Typeflag, h.Linkname, h.Size = "./a/", tar.TypeSymlink, "b", 0
		}}}, ErrInvalidPath, `entry "./a/" has an invalid path`},
		{"the root as a link", []debtest.File{{Path: ".", Link: "a"}}, ErrDuplicate, `entry "./." appears twice`},
		{"through a symlink", []debtest.File{{Path: "l", Link: "/etc"}, {Path: "l/passwd"}}, ErrThroughSymlink, `entry "./l/passwd" lies below a symbolic link: "l"`},
		{"deep through a symlink", []debtest.File{{Path: "l", Link: "etc"}, {Path: "l/a/b/c"}}, ErrThroughSymlink, `entry "./l/a/b/c" lies below a symbolic link: "l"`},
		{"below a file", []debtest.File{file, {Path: "a/b"}}, ErrBelowFile, `entry "./a/b" lies below a file: "a"`},
		{"symlink instead of a folder", []debtest.File{{Path: "d/x"}, {Path: "d", Link: "/etc"}}, ErrDuplicate, `entry "./d" appears twice`},
		{"twice", []debtest.File{file, file}, ErrDuplicate, `entry "./a" appears twice`},
		{"folder instead of a file", []debtest.File{file, {Path: "a/"}}, ErrDuplicate, `entry "./a/" appears twice`},
		{"symlink above the root", []debtest.File{{Path: "usr/l", Link: "../../x"}}, ErrEscapingLink, `entry "./usr/l" links to the outside of the root: "../../x"`},
		{"symlink that climbs and returns", []debtest.File{{Path: "l", Link: "a/../../b"}}, ErrEscapingLink, `entry "./l" links to the outside of the root: "a/../../b"`},
		{"symlink to nothing", []debtest.File{{Path: "l", Edit: typeflag(tar.TypeSymlink)}}, ErrInvalidLink, `entry "./l" has an invalid link target`},
		{"hard link to nothing", []debtest.File{{Path: "l", HardLink: "a"}}, ErrHardLink, `entry "./l" is a hard link to nothing before it: "./a"`},
		{"hard link to itself", []debtest.File{{Path: "l", HardLink: "l"}}, ErrHardLink, `entry "./l" is a hard link to nothing before it: "./l"`},
		{"hard link to a folder", []debtest.File{{Path: "d/"}, {Path: "l", HardLink: "d"}}, ErrHardLink, `entry "./l" is a hard link to nothing before it: "./d"`},
		{"hard link above the root", []debtest.File{file, {Path: "l", HardLink: "../a"}}, ErrEscapingLink, `entry "./l" links to the outside of the root: "./../a" leaves the root`},
		{"hard link to an absolute path", []debtest.File{file, {Path: "l", HardLink: "a", Edit: func(h *tar.Header) { h.Linkname = "/etc/passwd" }}}, ErrEscapingLink, `entry "./l" links to the outside of the root: "/etc/passwd" has an absolute path`},
		{"setuid", []debtest.File{{Path: "a", Mode: 0o755 | fs.ModeSetuid}}, ErrSetuid, `entry "./a" is setuid or setgid`},
		{"setgid", []debtest.File{{Path: "a", Mode: 0o755 | fs.ModeSetgid}}, ErrSetuid, `entry "./a" is setuid or setgid`},
		{"character device", []debtest.File{{Path: "a", Edit: typeflag(tar.TypeChar)}}, ErrDevice, `entry "./a" is a device`},
		{"block device", []debtest.File{{Path: "a", Edit: typeflag(tar.TypeBlock)}}, ErrDevice, `entry "./a" is a device`},
		{"FIFO", []debtest.File{{Path: "a", Edit: typeflag(tar.TypeFifo)}}, ErrDevice, `entry "./a" is a device`},
		{"unknown type", []debtest.File{{Path: "a", Edit: typeflag('Z')}}, ErrUnsupported, `entry "./a" is unsupported: tar type 'Z'`},
		{"large file", []debtest.File{{Path: "a", Content: strings.Repeat("x", 1001)}}, ErrTooLarge, `entry "./a" is too large: 1001 bytes`},
		{"many entries", []debtest.File{{Path: "1"}, {Path: "2"}, {Path: "3/4/5/6"}, {Path: "7"}}, ErrTooLarge, `entry "./7" is too much: too large: more than 6 paths`},
		{"large archive", []debtest.File{{Path: "a", Content: strings.Repeat("x", 999)}, {Path: "b", Content: strings.Repeat("x", 999)}}, ErrTooLarge, "data.tar: too large: decompressed size is larger than 4000 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			members := debtest.Members(debtest.Deb{})
			members[2].Data = debtest.Tar(tc.files...)
			o := Options{MaxEntrySize: 1000, MaxEntries: 6, MaxTotalSize: 1 << 20}
			if tc.name == "large archive" {
				o.MaxTotalSize = 4000
			}
			_, err := list(debtest.Ar(members...), o)
			if !errors.Is(err, tc.want) {
				t.Fatalf("error = %v, want %v", err, tc.want)
			}
			if !strings.HasPrefix(tc.text, "data.tar") {
				tc.text = "data.tar: " + tc.text
			}
			if err.Error() != tc.text {
				t.Errorf("got  %v\nwant %v", err, tc.text)
			}
		})
	}
}

func TestAllowSetuid(t *testing.T) {
	deb := debtest.Build(debtest.Deb{Files: []debtest.File{{Path: "su", Mode: 0o755 | fs.ModeSetuid | fs.ModeSetgid}}})
	got, err := list(deb, Options{AllowSetuid: true})
	if want := "f ugrwxr-xr-x 2026-01-02T03:04:05Z 0 su \"\"\n"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

// retype changes the type of the entry whose header data starts with, which
// archive/tar does not write.
func retype(data []byte, flag byte) []byte {
	data[156] = flag
	copy(data[148:156], "        ")
	sum := 0
	for _, c := range data[:512] {
		sum += int(c)
	}
	copy(data[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return data
}

func TestWalkRefusesSparse(t *testing.T) {
	file := debtest.File{Path: "a"}
	records := debtest.File{Path: "pax", Content: "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n21 GNU.sparse.name=b\n25 GNU.sparse.realsize=0\n"}
	for _, tc := range []struct {
		name string
		data []byte
		text string
	}{
		{"GNU", retype(debtest.Tar(file), tar.TypeGNUSparse), `data.tar: entry "./a" is a sparse file`},
		{"PAX", retype(debtest.Tar(records, debtest.File{Path: "a", Content: "0\n" + strings.Repeat("\x00", 510), Edit: func(h *tar.Header) { h.Format = tar.FormatUSTAR }}), tar.TypeXHeader), `data.tar: entry "b" is a sparse file`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			members := debtest.Members(debtest.Deb{})
			members[2].Data = tc.data
			_, err := list(debtest.Ar(members...), Options{})
			if !errors.Is(err, ErrSparse) || err.Error() != tc.text {
				t.Errorf("got  %v\nwant %v", err, tc.text)
			}
		})
	}
}

func TestWalkCallback(t *testing.T) {
	deb := debtest.Build(debtest.Deb{Compression: decompress.XZ, Files: []debtest.File{
		{Path: "a", Content: strings.Repeat("a", 1<<20)}, {Path: "b", Content: "b"},
	}})
	p, err := open(deb, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("error passes", func(t *testing.T) {
		broken := errors.New("broken")
		if err := p.Walk(t.Context(), func(Entry, io.Reader) error { return broken }); err != broken { //nolint:errorlint // not wrapped is the point
			t.Errorf("Walk() = %v, want %v itself", err, broken)
		}
	})
	t.Run("unread content is skipped", func(t *testing.T) {
		var paths []string
		err := p.Walk(t.Context(), func(e Entry, _ io.Reader) error {
			paths = append(paths, e.Path)
			return nil
		})
		if err != nil || !cmp.Equal(paths, []string{"a", "b"}) {
			t.Errorf("Walk() saw %q, %v", paths, err)
		}
	})
	t.Run("SkipAll", func(t *testing.T) {
		calls := 0
		err := p.Walk(t.Context(), func(Entry, io.Reader) error { calls++; return fs.SkipAll })
		if err != nil || calls != 1 {
			t.Errorf("Walk() = %v after %d calls", err, calls)
		}
	})
	t.Run("reader ends with the callback", func(t *testing.T) {
		var kept io.Reader
		if err := p.Walk(t.Context(), func(_ Entry, r io.Reader) error { kept = r; return fs.SkipAll }); err != nil {
			t.Fatal(err)
		}
		if _, err := kept.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Read() = %v, want %v", err, fs.ErrClosed)
		}
	})
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := p.Walk(ctx, func(_ Entry, r io.Reader) error {
			cancel()
			_, err := io.Copy(io.Discard, r)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Walk() = %v, want %v", err, context.Canceled)
		}
	})
}
