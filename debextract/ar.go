package debextract

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	arMagic      = "!<arch>\n"
	arHeaderSize = 60
	arEnd        = "`\n"
	// maxMembers is more than any package has: three, and a signature.
	maxMembers = 32
)

// member is one member of the ar archive.
type member struct {
	name   string
	offset int64
	size   int64
}

// arReader walks over the members of the common ar format, without any of the
// extensions for long names (deb(5)).
type arReader struct {
	src  io.ReaderAt
	size int64
	at   int64 // of the next header
}

func newArReader(src io.ReaderAt, size int64) (*arReader, error) {
	var magic [len(arMagic)]byte
	if err := readAt(src, magic[:], 0, size); err != nil {
		return nil, err
	}
	if string(magic[:]) != arMagic {
		return nil, fmt.Errorf("%w: no ar magic", ErrFormat)
	}
	return &arReader{src: src, size: size, at: int64(len(arMagic))}, nil
}

// readAt fills p with what src, which has size bytes, holds at the offset.
func readAt(src io.ReaderAt, p []byte, offset, size int64) error {
	if offset+int64(len(p)) > size {
		return ErrTruncated
	}
	n, err := src.ReadAt(p, offset)
	switch {
	case n == len(p):
		return nil
	case errors.Is(err, io.EOF):
		return ErrTruncated
	}
	return err
}

// next returns the next member, io.EOF after the last one.
func (r *arReader) next() (member, error) {
	if r.at == r.size {
		return member{}, io.EOF
	}
	var header [arHeaderSize]byte
	if err := readAt(r.src, header[:], r.at, r.size); err != nil {
		return member{}, err
	}
	m, err := parseArHeader(string(header[:]))
	if err != nil {
		return member{}, err
	}
	m.offset = r.at + arHeaderSize
	if m.size > r.size-m.offset {
		return member{}, fmt.Errorf("%s: %w", m.name, ErrTruncated)
	}
	r.at = m.offset + m.size
	if m.size%2 == 0 {
		return m, nil
	}
	var pad [1]byte
	if err := readAt(r.src, pad[:], r.at, r.size); err != nil {
		return member{}, fmt.Errorf("%s: %w", m.name, err)
	}
	if pad[0] != '\n' {
		return member{}, fmt.Errorf("%s: %w: padding byte is %#x", m.name, ErrFormat, pad[0])
	}
	r.at++
	return m, nil
}

// parseArHeader reads name and size; time, owner and mode say nothing that
// anybody uses.
func parseArHeader(h string) (member, error) {
	if h[58:] != arEnd {
		return member{}, fmt.Errorf("%w: an ar header ends in %q", ErrFormat, h[58:])
	}
	name := strings.TrimSuffix(strings.TrimRight(h[:16], " "), "/")
	for _, c := range name {
		if c <= ' ' || c >= 0x7f || c == '/' {
			return member{}, fmt.Errorf("%w: member name %q", ErrFormat, h[:16])
		}
	}
	digits := strings.TrimRight(h[48:58], " ")
	size, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || name == "" || digits[0] == '+' {
		return member{}, fmt.Errorf("%w: member %q of size %q", ErrFormat, name, h[48:58])
	}
	return member{name: name, size: int64(size)}, nil
}
