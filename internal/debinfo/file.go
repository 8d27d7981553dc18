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

// inMemory is the size in bytes up to which a file is read into memory for its
// ELF headers. A larger ELF file is written to a temporary file.
const inMemory = 4 << 20

// fileInfo is the result of scanning one file.
type fileInfo struct {
	sha256 string
	object *elf.Object
	// malformed is the defect of an ELF file, "" for none.
	malformed string
}

// fileScanner reads files one after the other, with buffers of its own.
type fileScanner struct {
	cache *cache.Cache
	whole bytes.Buffer
	chunk []byte
}

// scan reads size bytes from r, and stores them as a blob if keep is set.
func (s *fileScanner) scan(r io.Reader, size int64, keep bool) (fileInfo, error) {
	switch {
	case keep:
		return s.store(r)
	case size <= inMemory:
		return s.buffer(r)
	}
	head := make([]byte, len(stdelf.ELFMAG))
	if _, err := io.ReadFull(r, head); err != nil {
		return fileInfo{}, err
	}
	rest := io.MultiReader(bytes.NewReader(head), r)
	if string(head) == stdelf.ELFMAG {
		return s.spool(rest)
	}
	h := sha256.New()
	if err := s.copy(h, rest); err != nil {
		return fileInfo{}, err
	}
	return fileInfo{sha256: hex.EncodeToString(h.Sum(nil))}, nil
}

// store writes a file into the cache and reads it there.
func (s *fileScanner) store(r io.Reader) (fileInfo, error) {
	w, err := s.cache.Create()
	if err != nil {
		return fileInfo{}, err
	}
	defer w.Abort()
	if err := s.copy(w, r); err != nil {
		return fileInfo{}, err
	}
	f, err := inspect(w, w.Size())
	if err != nil {
		return fileInfo{}, err
	}
	f.sha256, _, err = w.Commit("")
	return f, err
}

// extract writes a file with the given digest into the cache.
func (s *fileScanner) extract(r io.Reader, digest string) error {
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

// buffer reads a file into memory.
func (s *fileScanner) buffer(r io.Reader) (fileInfo, error) {
	s.whole.Reset()
	if err := s.copy(&s.whole, r); err != nil {
		return fileInfo{}, err
	}
	b := s.whole.Bytes()
	f, err := inspect(bytes.NewReader(b), int64(len(b)))
	f.sha256 = digest.SHA256(b)
	return f, err
}

// spool reads a file through an unnamed temporary file.
func (s *fileScanner) spool(r io.Reader) (info fileInfo, err error) {
	f, err := os.CreateTemp("", "pgext-*")
	if err != nil {
		return fileInfo{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := os.Remove(f.Name()); err != nil {
		return fileInfo{}, err
	}
	h := sha256.New()
	if err := s.copy(io.MultiWriter(f, h), r); err != nil {
		return fileInfo{}, err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return fileInfo{}, err
	}
	info, err = inspect(f, size)
	info.sha256 = hex.EncodeToString(h.Sum(nil))
	return info, err
}

// copy is io.Copy through the scanner's own buffer. The wrappers hide methods that
// make io.CopyBuffer ignore the buffer.
func (s *fileScanner) copy(w io.Writer, r io.Reader) error {
	if s.chunk == nil {
		s.chunk = make([]byte, 256<<10)
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, s.chunk)
	return err
}

// inspect reads the ELF headers of a file of any kind.
func inspect(r io.ReaderAt, size int64) (fileInfo, error) {
	o, err := elf.Read(r, size)
	var format *elf.FormatError
	switch {
	case err == nil:
		return fileInfo{object: &o}, nil
	case errors.As(err, &format):
		return fileInfo{malformed: format.Error()}, nil
	case errors.Is(err, elf.ErrNotELF):
		return fileInfo{}, nil
	}
	return fileInfo{}, err
}
