package debextract

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pgext/pgext/internal/decompress"
)

// Options say how much of a package is accepted.
type Options struct {
	// MaxEntrySize is the largest file in bytes; 0 means 4 GiB.
	MaxEntrySize int64
	// MaxTotalSize is the largest data.tar in bytes, decompressed; 0 means
	// 16 GiB.
	MaxTotalSize int64
	// MaxEntries is how many paths data.tar may have, 256 bytes each on
	// average; 0 means 500,000.
	MaxEntries int
	// Jobs is how many blocks of data.tar.xz are decompressed at the same
	// time; 0 means GOMAXPROCS.
	Jobs int
	// Budget is the memory for that; nil means 256 MiB for each walk. Share
	// one where several packages are open at the same time.
	Budget *decompress.Budget
	// AllowSetuid accepts entries with the setuid or setgid bit and reports
	// the bits in the entry's mode.
	AllowSetuid bool
}

func (o Options) complete() Options {
	if o.MaxEntrySize == 0 {
		o.MaxEntrySize = 4 << 30
	}
	if o.MaxTotalSize == 0 {
		o.MaxTotalSize = 16 << 30
	}
	if o.MaxEntries == 0 {
		o.MaxEntries = 500_000
	}
	return o
}

// Package is an open .deb. Its methods may be called any number of times, and
// by several goroutines.
type Package struct {
	src     io.ReaderAt
	options Options
	control archive
	data    archive
}

// archive is a member that holds a tar archive.
type archive struct {
	member
	format decompress.Format
}

// Open reads the member table of the .deb that src holds in its first size
// bytes, and nothing else. src must stay open and unchanged while the Package
// is used.
func Open(src io.ReaderAt, size int64, o Options) (*Package, error) {
	p := &Package{src: src, options: o.complete()}
	r, err := newArReader(src, size)
	if err != nil {
		return nil, err
	}
	if err := p.readVersion(r); err != nil {
		return nil, err
	}
	if p.control, err = nextArchive(r, "control.tar"); err != nil {
		return nil, err
	}
	if p.data, err = nextArchive(r, "data.tar"); err != nil {
		return nil, err
	}
	return p, readRest(r)
}

// readVersion reads debian-binary, whose first line is the format version;
// more lines may follow (deb(5)).
func (p *Package) readVersion(r *arReader) error {
	const name = "debian-binary"
	m, err := r.next()
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: no %s", ErrTruncated, name)
	case err != nil:
		return err
	case m.name != name:
		return fmt.Errorf("%w %q where %s belongs", ErrMember, m.name, name)
	}
	text := make([]byte, min(m.size, 64))
	if err := readAt(p.src, text, m.offset, r.size); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	line, _, whole := strings.Cut(string(text), "\n")
	minor, ok := strings.CutPrefix(line, "2.")
	if !whole || !ok || minor == "" || strings.Trim(minor, "0123456789") != "" {
		return fmt.Errorf("%s: %w %q", name, ErrVersion, line)
	}
	return nil
}

// nextArchive returns the next member, which has to be called base or base
// and the extension of a compression format. Members whose names start with
// an underscore may precede it.
func nextArchive(r *arReader, base string) (archive, error) {
	for range maxMembers {
		m, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return archive{}, fmt.Errorf("%w: no %s", ErrTruncated, base)
		case err != nil:
			return archive{}, err
		case strings.HasPrefix(m.name, "_"):
			continue
		}
		ext, ok := strings.CutPrefix(m.name, base)
		if !ok {
			return archive{}, fmt.Errorf("%w %q where %s belongs", ErrMember, m.name, base)
		}
		f, err := decompress.ByExtension(m.name)
		if err != nil {
			return archive{}, classify(err)
		}
		if f.Extension() != ext {
			return archive{}, fmt.Errorf("%w %q where %s belongs", ErrMember, m.name, base)
		}
		return archive{m, f}, nil
	}
	return archive{}, fmt.Errorf("%w: more than %d before %s", ErrMember, maxMembers, base)
}

// readRest accepts members that older programs may ignore after data.tar.
func readRest(r *arReader) error {
	for range maxMembers {
		m, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, ErrFormat), errors.Is(err, ErrTruncated):
			return fmt.Errorf("data.tar: the archive %w: %w", ErrTrailing, err)
		case err != nil:
			return err
		case !strings.HasPrefix(m.name, "_"):
			return fmt.Errorf("%w %q after data.tar", ErrMember, m.name)
		}
	}
	return fmt.Errorf("%w: more than %d after data.tar", ErrMember, maxMembers)
}
