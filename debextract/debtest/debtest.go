package debtest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/blakesmith/ar"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/pgext/pgext/internal/decompress"
)

// Epoch is the modification time of whatever does not say another.
var Epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Deb describes a package.
type Deb struct {
	// Control is the control paragraph; "" means that of package test,
	// version 1.0-1, architecture amd64.
	Control string
	// Scripts are further files of the control member, by name.
	Scripts map[string]string
	// Files of the data member, in this order. Folders they lie in are added
	// before them unless listed already.
	Files []File
	// Compression of both tar members; None, the zero value, is fastest.
	Compression decompress.Format
}

// File is one entry of a tar member.
type File struct {
	// Path is relative to the root; one that ends in a slash is a folder.
	Path string
	// Mode is 0 for 0644, of folders 0755, of symlinks 0777. It may hold
	// fs.ModeSetuid, fs.ModeSetgid and fs.ModeSticky.
	Mode fs.FileMode
	// ModTime is zero for Epoch.
	ModTime time.Time
	Content string
	// Link makes the entry a symlink to it.
	Link string
	// HardLink makes the entry a hard link to the path of an earlier one.
	HardLink string
	// Edit changes the header before it is written, to what no honest writer
	// would write; nil changes nothing. Without Edit names start with "./", as
	// dpkg-deb writes them.
	Edit func(*tar.Header)
}

// Member is one member of an ar archive.
type Member struct {
	Name string
	Data []byte
}

// Build returns the .deb that d describes.
func Build(d Deb) []byte { return Ar(Members(d)...) }

// Members returns what Build puts into the ar archive, for a test that wants
// to change it first.
func Members(d Deb) []Member {
	if d.Control == "" {
		d.Control = "Package: test\nVersion: 1.0-1\nArchitecture: amd64\nMaintainer: A <a@example.org>\nDescription: test\n"
	}
	control := []File{{Path: "control", Content: d.Control}}
	for _, name := range slices.Sorted(maps.Keys(d.Scripts)) {
		f := File{Path: name, Content: d.Scripts[name]}
		if strings.HasPrefix(f.Content, "#!") {
			f.Mode = 0o755
		}
		control = append(control, f)
	}
	ext := d.Compression.Extension()
	return []Member{
		{"debian-binary", []byte("2.0\n")},
		{"control.tar" + ext, Compress(d.Compression, Tar(control...))},
		{"data.tar" + ext, Compress(d.Compression, Tar(WithFolders(d.Files)...))},
	}
}

// Ar returns an ar archive.
func Ar(members ...Member) []byte {
	var out bytes.Buffer
	w := ar.NewWriter(&out)
	check(w.WriteGlobalHeader())
	for _, m := range members {
		check(w.WriteHeader(&ar.Header{Name: m.Name, ModTime: Epoch, Mode: 0o644, Size: int64(len(m.Data))}))
		_, err := w.Write(m.Data)
		check(err)
	}
	return out.Bytes()
}

// WithFolders returns files with the folders they lie in before them, the
// root first.
func WithFolders(files []File) []File {
	var out []File
	seen := map[string]bool{}
	var add func(dir string)
	add = func(dir string) {
		if seen[dir] {
			return
		}
		if dir != "." {
			add(path.Dir(dir))
		}
		seen[dir] = true
		out = append(out, File{Path: dir + "/"})
	}
	for _, f := range files {
		clean := path.Clean(f.Path)
		add(path.Dir(clean))
		if strings.HasSuffix(f.Path, "/") {
			seen[clean] = true
		}
		out = append(out, f)
	}
	return out
}

// Tar returns a tar archive of exactly these entries, in GNU format as
// dpkg-deb writes it.
func Tar(files ...File) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		h := f.header()
		check(w.WriteHeader(h))
		if h.Typeflag == tar.TypeReg {
			_, err := io.WriteString(w, f.Content)
			check(err)
		}
	}
	check(w.Close())
	return out.Bytes()
}

func (f File) header() *tar.Header {
	h := &tar.Header{
		Typeflag: tar.TypeReg, Name: "./" + f.Path, Size: int64(len(f.Content)), ModTime: Epoch,
		Uname: "root", Gname: "root", Format: tar.FormatGNU, Mode: 0o644,
	}
	switch {
	case f.Path == "./":
		h.Name, h.Typeflag, h.Mode = "./", tar.TypeDir, 0o755
	case strings.HasSuffix(f.Path, "/"):
		h.Typeflag, h.Mode = tar.TypeDir, 0o755
	case f.Link != "":
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, f.Link, 0o777
	case f.HardLink != "":
		h.Typeflag, h.Linkname = tar.TypeLink, "./"+f.HardLink
	}
	if h.Typeflag != tar.TypeReg {
		h.Size = 0
	}
	if f.Mode != 0 {
		h.Mode = posix(f.Mode)
	}
	if !f.ModTime.IsZero() {
		h.ModTime = f.ModTime
	}
	if f.Edit != nil {
		f.Edit(h)
	}
	return h
}

func posix(m fs.FileMode) int64 {
	bits := int64(m.Perm())
	if m&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	return bits
}

// Compress returns data as a stream of format f.
func Compress(f decompress.Format, data []byte) []byte {
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch f {
	case decompress.None:
		return data
	case decompress.Gzip:
		w = gzip.NewWriter(&out)
	case decompress.XZ:
		w, err = xz.WriterConfig{DictCap: 1 << 20}.NewWriter(&out)
	case decompress.Zstd:
		w, err = zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	default:
		err = fmt.Errorf("no writer for format %v", f)
	}
	check(err)
	_, err = w.Write(data)
	check(err)
	check(w.Close())
	return out.Bytes()
}

func check(err error) {
	if err != nil {
		panic("debtest: " + err.Error())
	}
}
