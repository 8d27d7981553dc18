package debextract

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/decompress"
)

func TestControl(t *testing.T) {
	scripts := map[string]string{"postinst": "#!/bin/sh\nexit 1\n", "conffiles": "/etc/x\n", "md5sums": ""}
	for _, f := range formats {
		deb := debtest.Build(debtest.Deb{
			Control:     "Package: x\nVersion: 1\nArchitecture: all\nDescription: short\n long\n",
			Scripts:     scripts,
			Compression: f,
		})
		p, err := open(deb, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			c, err := p.Control()
			if err != nil {
				t.Fatal(err)
			}
			want := &Control{debian.NewParagraph(
				debian.Field{Name: "Package", Value: "x"}, debian.Field{Name: "Version", Value: "1"},
				debian.Field{Name: "Architecture", Value: "all"}, debian.Field{Name: "Description", Value: "short\nlong"},
			), scripts}
			if diff := cmp.Diff(want, c); diff != "" {
				t.Errorf("%v (-want +got):\n%s", f, diff)
			}
		}
	}
}

func TestControlRefuses(t *testing.T) {
	good := debtest.File{Path: "control", Content: "Package: x\nVersion: 1\nArchitecture: all\n"}
	for _, tc := range []struct {
		name  string
		files []debtest.File
		want  error
		text  string
	}{
		{"nothing", nil, ErrControl, "control.tar: malformed control member: no file called control"},
		{"empty", []debtest.File{{Path: "control"}}, ErrControl, "control.tar: malformed control member: control: empty"},
		{"syntax", []debtest.File{{Path: "control", Content: "x\n"}}, ErrControl, `control.tar: malformed control member: control: line 1: "x" is not a field: it has no colon`},
		{"two paragraphs", []debtest.File{{Path: "control", Content: good.Content + "\nA: b\n"}}, ErrControl, "control.tar: malformed control member: control: more than one paragraph"},
		{"no version", []debtest.File{{Path: "control", Content: "Package: x\n"}}, ErrControl, "control.tar: malformed control member: control: no field Version"},
		{"twice", []debtest.File{good, good}, ErrDuplicate, `control.tar: entry "./control": appears twice`},
		{"a folder", []debtest.File{good, {Path: "d/"}}, ErrControl, `control.tar: entry "./d/": malformed control member: not a plain file`},
		{"a link", []debtest.File{{Path: "control", Link: "/etc/passwd"}}, ErrControl, `control.tar: entry "./control": malformed control member: not a plain file`},
		{"in a folder", []debtest.File{good, {Path: "d/x"}}, ErrControl, `control.tar: entry "./d/x": malformed control member: not a plain name`},
		{"escaping", []debtest.File{good, {Edit: named("../x")}}, ErrControl, `control.tar: entry "../x": malformed control member: not a plain name`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			members := debtest.Members(debtest.Deb{})
			members[1].Data = debtest.Tar(tc.files...)
			p, err := open(debtest.Ar(members...), Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Control()
			if !errors.Is(err, tc.want) || err.Error() != tc.text {
				t.Errorf("got  %v\nwant %v", err, tc.text)
			}
		})
	}
}

func TestOpenMembers(t *testing.T) {
	good := debtest.Members(debtest.Deb{Files: []debtest.File{{Path: "a"}}})
	binary, control, data := good[0], good[1], good[2]
	extra := debtest.Member{Name: "_gpgorigin", Data: []byte("odd")}
	version := func(text string) []debtest.Member {
		return []debtest.Member{{Name: "debian-binary", Data: []byte(text)}, control, data}
	}
	for _, tc := range []struct {
		name    string
		members []debtest.Member
		want    error
		text    string
	}{
		{"good", good, nil, ""},
		{"slash after the names", []debtest.Member{{Name: "debian-binary/", Data: binary.Data}, {Name: "control.tar/", Data: control.Data}, {Name: "data.tar/", Data: data.Data}}, nil, ""},
		{"a newer minor version", version("2.17\nmore\n"), nil, ""},
		{"extra members", []debtest.Member{binary, extra, control, extra, data, extra}, nil, ""},
		{"another major version", version("3.0\n"), ErrVersion, `debian-binary: unknown format version "3.0"`},
		{"no version", version(""), ErrVersion, `debian-binary: unknown format version ""`},
		{"version without newline", version("2.0"), ErrVersion, `debian-binary: unknown format version "2.0"`},
		{"strange version", version("2.x\n"), ErrVersion, `debian-binary: unknown format version "2.x"`},
		{"no member", nil, ErrTruncated, "truncated: no debian-binary"},
		{"no control.tar", []debtest.Member{binary}, ErrTruncated, "truncated: no control.tar"},
		{"no data.tar", []debtest.Member{binary, control}, ErrTruncated, "truncated: no data.tar"},
		{"wrong order", []debtest.Member{binary, data, control}, ErrMember, `unexpected member "data.tar" where control.tar belongs`},
		{"control.tar first", []debtest.Member{control, binary, data}, ErrMember, `unexpected member "control.tar" where debian-binary belongs`},
		{"extra member first", []debtest.Member{extra, binary, control, data}, ErrMember, `unexpected member "_gpgorigin" where debian-binary belongs`},
		{"unknown before data.tar", []debtest.Member{binary, control, {Name: "new.tar"}, data}, ErrMember, `unexpected member "new.tar" where data.tar belongs`},
		{"unknown after data.tar", append(good[:3:3], debtest.Member{Name: "evil"}), ErrMember, `unexpected member "evil" after data.tar`},
		{"data.tar twice", append(good[:3:3], data), ErrMember, `unexpected member "data.tar" after data.tar`},
		{"another compression", []debtest.Member{binary, control, {Name: "data.tar.bz2"}}, ErrUnsupported, `unsupported: data.tar.bz2: unsupported compression format ".bz2"`},
		{"a strange extension", []debtest.Member{binary, control, {Name: "data.tar.x.xz"}}, ErrMember, `unexpected member "data.tar.x.xz" where data.tar belongs`},
		{"no name", []debtest.Member{{Name: ""}}, ErrFormat, `not a Debian package: member "" of size "0         "`},
		{"a name with a space", []debtest.Member{{Name: "a b"}}, ErrFormat, `not a Debian package: member name "a b             "`},
		{"a long name", []debtest.Member{{Name: "//"}}, ErrFormat, `not a Debian package: member name "//              "`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := list(debtest.Ar(tc.members...), Options{})
			if !errors.Is(err, tc.want) {
				t.Fatalf("error = %v, want %v", err, tc.want)
			}
			if err != nil && err.Error() != tc.text {
				t.Errorf("got  %v\nwant %v", err, tc.text)
			}
		})
	}
}

// TestOpenDamaged changes single bytes of the ar structure.
func TestOpenDamaged(t *testing.T) {
	good := debtest.Build(debtest.Deb{})
	for _, tc := range []struct {
		name string
		at   int
		with string
		want error
	}{
		{"magic", 0, "?", ErrFormat},
		{"end of the magic", 7, "\r", ErrFormat},
		{"end of the header", 8 + 58, "'", ErrFormat},
		{"last byte of the header", 8 + 59, " ", ErrFormat},
		{"size is no number", 8 + 48, "x", ErrFormat},
		{"size has a sign", 8 + 48, "+4", ErrFormat},
		{"size is empty", 8 + 48, "          ", ErrFormat},
		{"size has a space inside", 8 + 48, "4 4", ErrFormat},
		{"size is larger than the file", 8 + 48, "9999999999", ErrTruncated},
		{"name has a control character", 8, "\x01", ErrFormat},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bad := bytes.Clone(good)
			copy(bad[tc.at:], tc.with)
			if _, err := open(bad, Options{}); !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v", err, tc.want)
			}
		})
	}
	odd := debtest.Members(debtest.Deb{})
	odd[0].Data = []byte("2.0\n\n")
	bad := debtest.Ar(odd...)
	bad[8+60+5] = 'x'
	if _, err := open(bad, Options{}); !errors.Is(err, ErrFormat) {
		t.Errorf("padding byte: error = %v, want %v", err, ErrFormat)
	}
}

func TestTruncatedAnywhere(t *testing.T) {
	for _, f := range formats {
		deb := debtest.Build(debtest.Deb{
			Compression: f,
			Files:       []debtest.File{{Path: "usr/lib/x", Content: "some content"}},
			Scripts:     map[string]string{"md5sums": "x\n"},
		})
		for n := range deb {
			p, err := open(deb[:n], Options{})
			if err == nil {
				_, err = p.Control()
			}
			if err == nil {
				_, err = list(deb[:n], Options{})
			}
			if !errors.Is(err, ErrTruncated) {
				t.Errorf("%v cut after %d of %d bytes: error = %v", f, n, len(deb), err)
			}
		}
	}
}

// TestTruncatedMember cuts a member and lets the ar header agree.
func TestTruncatedMember(t *testing.T) {
	for _, f := range formats {
		members := debtest.Members(debtest.Deb{Compression: f, Files: []debtest.File{{Path: "a", Content: strings.Repeat("abc\n", 300)}}})
		whole := members[2].Data
		for n := 0; n < len(whole); n += 1 + len(whole)/200 {
			if f == decompress.None && bytes.Trim(whole[n-n%512:], "\x00") == nil && n%512 == 0 && len(whole)-n < 1024 {
				continue // one zero block is an end, too
			}
			members[2].Data = whole[:n]
			if _, err := list(debtest.Ar(members...), Options{}); !errors.Is(err, ErrTruncated) {
				t.Errorf("%v cut after %d of %d bytes: error = %v", f, n, len(whole), err)
			}
		}
	}
}

func TestTrailingGarbage(t *testing.T) {
	for _, f := range formats {
		d := debtest.Deb{Compression: f, Files: []debtest.File{{Path: "a", Content: "abc"}}}
		for _, garbage := range []string{"x", "\n", "\x00", strings.Repeat("garbage", 100)} {
			deb := append(debtest.Build(d), garbage...)
			if _, err := open(deb, Options{}); !errors.Is(err, ErrTrailing) {
				t.Errorf("%v: file followed by %.10q: error = %v", f, garbage, err)
			}
			members := debtest.Members(d)
			plain := debtest.Tar(d.Files...)
			members[2].Data = debtest.Compress(f, append(plain, garbage...))
			_, err := list(debtest.Ar(members...), Options{})
			if zeros := strings.Trim(garbage, "\x00") == ""; zeros != (err == nil) || !zeros && !errors.Is(err, ErrTrailing) {
				t.Errorf("%v: tar followed by %.10q: error = %v", f, garbage, err)
			}
			if f == decompress.None {
				continue
			}
			members[2].Data = append(debtest.Compress(f, plain), garbage...)
			if _, err := list(debtest.Ar(members...), Options{}); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrTruncated) {
				t.Errorf("%v: stream followed by %.10q: error = %v", f, garbage, err)
			}
		}
	}
}

// TestBombs holds that a package of a few kilobytes does not get to write a
// gigabyte.
func TestBombs(t *testing.T) {
	zeros := debtest.Compress(decompress.Gzip, make([]byte, 80<<20))
	members := debtest.Members(debtest.Deb{Compression: decompress.Gzip})
	members[1].Data, members[2].Data = zeros, zeros
	p, err := open(debtest.Ar(members...), Options{MaxTotalSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Control(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Control() error = %v", err)
	}
	err = p.Walk(t.Context(), func(Entry, io.Reader) error { return nil })
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("Walk() error = %v", err)
	}
}

func TestCorruptContent(t *testing.T) {
	for _, f := range []decompress.Format{decompress.Gzip, decompress.XZ, decompress.Zstd} {
		members := debtest.Members(debtest.Deb{Compression: f, Files: []debtest.File{{Path: "a", Content: strings.Repeat("content ", 1000)}}})
		packed := members[2].Data
		packed[len(packed)*2/3] ^= 0x10
		if _, err := list(debtest.Ar(members...), Options{}); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrTruncated) {
			t.Errorf("%v: error = %v", f, err)
		}
	}
	members := debtest.Members(debtest.Deb{Files: []debtest.File{{Path: "a"}}})
	members[2].Data[1]++ // the header's checksum is wrong now
	if _, err := list(debtest.Ar(members...), Options{}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("tar checksum: error = %v", err)
	}
}
