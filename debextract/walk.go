package debextract

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/filetree"
)

// Entry is one entry of data.tar. Its SHA256, Content and Origin are empty:
// whoever reads the bytes knows better.
type Entry struct {
	filetree.Entry
	// HardLink is the path of an earlier file whose content this one shares,
	// and never itself a hard link. Size is that file's.
	HardLink string
}

// Walk calls fn for each entry of data.tar, in order, without the root
// directory. r holds a file's content, is empty for everything else, hard
// links included, and is valid until fn returns; what fn leaves unread is
// skipped. An error of fn ends the walk and is returned as it is, fs.SkipAll
// ends it without an error. Only a walk to the end verifies the whole member.
func (p *Package) Walk(ctx context.Context, fn func(e Entry, r io.Reader) error) error {
	s, err := p.open(ctx, p.data, p.options.MaxTotalSize)
	if err != nil {
		return err
	}
	defer s.close()
	paths := newPathTable(p.options.MaxEntries)
	for {
		h, err := s.Next()
		if errors.Is(err, io.EOF) {
			return s.finish()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, classify(err))
		}
		e, err := p.entry(h, paths)
		if err != nil {
			return fmt.Errorf("%s: entry %q %w", s.name, h.Name, err)
		}
		if e.Path == "." {
			continue
		}
		r := &entryReader{stream: s, name: h.Name}
		err = fn(e, r)
		r.stream = nil
		if errors.Is(err, fs.SkipAll) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// entry turns a tar header into an Entry that is safe to place, and enters it
// in the table.
func (p *Package) entry(h *tar.Header, paths *pathTable) (Entry, error) {
	name, err := cleanPath(h.Name)
	if err != nil {
		return Entry{}, err
	}
	if strings.HasSuffix(h.Name, "/") && h.Typeflag != tar.TypeDir {
		return Entry{}, ErrInvalidPath
	}
	e := Entry{Entry: filetree.Entry{
		Path: name, Mode: mode(h.Mode), ModTime: time.Unix(h.ModTime.Unix(), 0).UTC(),
	}}
	if e.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 && !p.options.AllowSetuid {
		return Entry{}, ErrSetuid
	}
	switch {
	case isSparse(h):
		return Entry{}, ErrSparse
	case h.Typeflag == tar.TypeReg:
		e.Size = h.Size
		if h.Size > p.options.MaxEntrySize {
			return Entry{}, fmt.Errorf("is %w: %d bytes", ErrTooLarge, h.Size)
		}
	case h.Typeflag == tar.TypeDir:
		e.Kind = filetree.Dir
	case h.Typeflag == tar.TypeSymlink:
		e.Kind, e.Link = filetree.Symlink, h.Linkname
		err = checkSymlink(name, h.Linkname)
	case h.Typeflag == tar.TypeLink:
		err = paths.linkTo(&e, h.Linkname)
	case h.Typeflag == tar.TypeChar, h.Typeflag == tar.TypeBlock, h.Typeflag == tar.TypeFifo:
		err = ErrDevice
	default:
		err = fmt.Errorf("is %w: tar type %q", ErrUnsupported, h.Typeflag)
	}
	if err != nil {
		return Entry{}, err
	}
	return e, paths.add(e)
}

// mode translates the mode bits of POSIX to Go's.
func mode(bits int64) fs.FileMode {
	m := fs.FileMode(bits) & fs.ModePerm
	if bits&0o4000 != 0 {
		m |= fs.ModeSetuid
	}
	if bits&0o2000 != 0 {
		m |= fs.ModeSetgid
	}
	if bits&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// isSparse reports whether a header has a sparse map in one of the three ways
// GNU tar writes it.
func isSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// entryReader reads one entry's content. Its errors say where.
type entryReader struct {
	stream *tarStream // nil when the callback has returned
	name   string
}

func (r *entryReader) Read(p []byte) (int, error) {
	if r.stream == nil {
		return 0, fmt.Errorf("reading entry %q: %w", r.name, fs.ErrClosed)
	}
	n, err := r.stream.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s: entry %q: %w", r.stream.name, r.name, classify(err))
	}
	return n, err
}
