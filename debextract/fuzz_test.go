package debextract

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/filetree"
)

var seeds = []debtest.Deb{
	{},
	{Compression: decompress.Gzip, Scripts: map[string]string{"postinst": "#!/bin/sh\n"}},
	{Compression: decompress.XZ, Files: []debtest.File{{Path: "usr/lib/x", Content: "abc"}, {Path: "usr/lib/y", Link: "x"}}},
	{Compression: decompress.Zstd, Files: []debtest.File{{Path: "a", Content: "abc"}, {Path: "b", HardLink: "a"}}},
	{Files: []debtest.File{{Path: "l", Link: "/etc"}, {Path: "d/", Mode: 0o1777}, {Path: strings.Repeat("x/", 80) + "y"}}},
}

// FuzzOpen holds what Walk promises about whatever it accepts.
func FuzzOpen(f *testing.F) {
	for _, d := range seeds {
		f.Add(debtest.Build(d))
	}
	f.Fuzz(func(t *testing.T, deb []byte) {
		p, err := open(deb, Options{MaxTotalSize: 1 << 20, MaxEntries: 1000})
		if err != nil {
			return
		}
		if c, err := p.Control(); err == nil && c.Paragraph.Get("Package") == "" {
			t.Error("a control paragraph without Package")
		}
		checkWalk(t, p)
	})
}

// FuzzTar is FuzzOpen with the fuzzer inside of data.tar.
func FuzzTar(f *testing.F) {
	for _, d := range seeds {
		f.Add(debtest.Tar(debtest.WithFolders(d.Files)...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		members := debtest.Members(debtest.Deb{})
		members[2].Data = data
		p, err := open(debtest.Ar(members...), Options{MaxTotalSize: 1 << 20, MaxEntries: 1000})
		if err != nil {
			t.Fatal(err)
		}
		checkWalk(t, p)
	})
}

func checkWalk(t *testing.T, p *Package) {
	t.Helper()
	made := map[string]filetree.Kind{}
	_ = p.Walk(t.Context(), func(e Entry, r io.Reader) error {
		if !fs.ValidPath(e.Path) || e.Path == "." {
			t.Errorf("path %q", e.Path)
		}
		for dir := path.Dir(e.Path); dir != "."; dir = path.Dir(dir) {
			if kind, ok := made[dir]; ok && kind != filetree.Dir {
				t.Errorf("%q lies below %v %q", e.Path, kind, dir)
			}
		}
		if kind, ok := made[e.Path]; ok && (kind != filetree.Dir || e.Kind != filetree.Dir) {
			t.Errorf("%q twice", e.Path)
		}
		if kind, ok := made[e.HardLink]; e.HardLink != "" && (!ok || kind != filetree.File) {
			t.Errorf("%q is a hard link to %q", e.Path, e.HardLink)
		}
		if target := path.Join(path.Dir(e.Path), e.Link); e.Kind == filetree.Symlink && !path.IsAbs(e.Link) && strings.HasPrefix(target+"/", "../") {
			t.Errorf("%q links to %q", e.Path, e.Link)
		}
		if e.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
			t.Errorf("%q has mode %v", e.Path, e.Mode)
		}
		made[e.Path] = e.Kind
		n, err := io.Copy(io.Discard, r)
		if err == nil && e.HardLink == "" && n != e.Size {
			t.Errorf("%q: read %d bytes of %d", e.Path, n, e.Size)
		}
		return err
	})
}

// FuzzAr holds that members lie inside of the file and do not overlap.
func FuzzAr(f *testing.F) {
	for _, d := range seeds {
		f.Add(debtest.Build(d))
	}
	f.Add([]byte(arMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := newArReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		end := int64(len(arMagic))
		for {
			m, err := r.next()
			if errors.Is(err, io.EOF) && end+end%2 != int64(len(data)) {
				t.Errorf("the last member ends at %d of %d bytes", end, len(data))
			}
			if err != nil {
				return
			}
			if m.offset < end+arHeaderSize || m.size < 0 || m.offset+m.size > int64(len(data)) || m.name == "" {
				t.Errorf("member %+v after %d of %d bytes", m, end, len(data))
			}
			end = m.offset + m.size
		}
	})
}
