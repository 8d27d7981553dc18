package debinfo

import (
	"bytes"
	"crypto/sha256"
	stdelf "debug/elf"
	"encoding/hex"
	"errors"
	"io"
	"os"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/elf"
)

// inMemory is the size in bytes up to which a file is held in memory while
// its ELF headers are read; a larger one goes through a temporary file, and
// only when it is an ELF file.
const inMemory = 4 << 20

// learnt is what one file tells.
type learnt struct {
	sha256 string
	object *elf.Object
	// malformed is what is wrong with an ELF file, else "".
	malformed string
}

// scanner reads files one after the other, with buffers of its own.
type scanner struct {
	cache *cache.Cache
	whole bytes.Buffer
	chunk []byte
}

// file reads size bytes from r, and stores them as a blob when kept.
func (s *scanner) file(r io.Reader, size int64, kept bool) (learnt, error) {
	switch {
	case kept:
		return s.store(r)
	case size <= inMemory:
		return s.hold(r)
	}
	head := make([]byte, len(stdelf.ELFMAG))
	if _, err := io.ReadFull(r, head); err != nil {
		return learnt{}, err
	}
	rest := io.MultiReader(bytes.NewReader(head), r)
	if string(head) == stdelf.ELFMAG {
		return s.spool(rest)
	}
	h := sha256.New()
	if err := s.copy(h, rest); err != nil {
		return learnt{}, err
	}
	return learnt{sha256: hex.EncodeToString(h.Sum(nil))}, nil
}

// store writes a file into the cache and reads it there.
func (s *scanner) store(r io.Reader) (learnt, error) {
	w, err := s.cache.Create()
	if err != nil {
		return learnt{}, err
	}
	defer w.Abort()
	if err := s.copy(w, r); err != nil {
		return learnt{}, err
	}
	l, err := inspect(w, w.Size())
	if err != nil {
		return learnt{}, err
	}
	l.sha256, _, err = w.Commit("")
	return l, err
}

// extract writes a file into the cache, whose digest must be the one given.
func (s *scanner) extract(r io.Reader, digest string) error {
	w, err := s.cache.Create()
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := s.copy(w, r); err != nil {
		return err
	}
	_, _, err = w.Commit(digest)
	return err
}

// hold reads a file in memory.
func (s *scanner) hold(r io.Reader) (learnt, error) {
	s.whole.Reset()
	if err := s.copy(&s.whole, r); err != nil {
		return learnt{}, err
	}
	b := s.whole.Bytes()
	l, err := inspect(bytes.NewReader(b), int64(len(b)))
	l.sha256 = digest.SHA256(b)
	return l, err
}

// spool reads a file from a temporary one, which has no name while it lives.
func (s *scanner) spool(r io.Reader) (l learnt, err error) {
	f, err := os.CreateTemp("", "pgext-*")
	if err != nil {
		return learnt{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := os.Remove(f.Name()); err != nil {
		return learnt{}, err
	}
	h := sha256.New()
	if err := s.copy(io.MultiWriter(f, h), r); err != nil {
		return learnt{}, err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return learnt{}, err
	}
	l, err = inspect(f, size)
	l.sha256 = hex.EncodeToString(h.Sum(nil))
	return l, err
}

// copy is io.Copy through the scanner's own buffer. (Wrapping hides methods
// that would make io.CopyBuffer leave it alone.)
func (s *scanner) copy(w io.Writer, r io.Reader) error {
	if s.chunk == nil {
		s.chunk = make([]byte, 256<<10)
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, s.chunk)
	return err
}

// inspect reads the ELF headers of a file that may be any.
func inspect(r io.ReaderAt, size int64) (learnt, error) {
	o, err := elf.Read(r, size)
	var format *elf.FormatError
	switch {
	case err == nil:
		return learnt{object: &o}, nil
	case errors.As(err, &format):
		return learnt{malformed: format.Error()}, nil
	case errors.Is(err, elf.ErrNotELF):
		return learnt{}, nil
	}
	return learnt{}, err
}
