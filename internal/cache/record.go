package cache

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pgext/pgext/internal/digest"
)

// maxRecord is the size in bytes of the largest record that is kept.
const maxRecord = 256 << 20

// Record returns the data kept under kind and key, and whether it is there. A
// record that is damaged or unreadable counts as absent.
func (c *Cache) Record(kind, key string) ([]byte, bool) {
	f, err := os.Open(c.recordPath(kind, key))
	if err != nil {
		return nil, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() < sha256.Size || info.Size() > maxRecord+sha256.Size {
		return nil, false
	}
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, false
	}
	data, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if !bytes.Equal(sum, checksum(kind, key, data)) {
		return nil, false
	}
	return data[:len(data):len(data)], true
}

// PutRecord keeps data, at most 256 MiB, under kind and key, replacing
// what was there at once. Kind and key are any strings. The error is a
// *WriteError when the directory cannot take it.
func (c *Cache) PutRecord(kind, key string, data []byte) error {
	if len(data) > maxRecord {
		return fmt.Errorf("keeping record %s %q: %d bytes, more than %d", kind, key, len(data), maxRecord)
	}
	f, err := c.createTemporary()
	if err != nil {
		return c.writeError(err)
	}
	defer discardTemporary(f)
	if _, err := f.Write(data); err != nil {
		return c.writeError(err)
	}
	if _, err := f.Write(checksum(kind, key, data)); err != nil {
		return c.writeError(err)
	}
	if err := c.rename(f, c.recordPath(kind, key)); err != nil {
		return c.writeError(err)
	}
	return nil
}

// checksum covers the name as well, so that a file under another's name is as
// good as none.
func checksum(kind, key string, data []byte) []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s%d:%s", len(kind), kind, len(key), key)
	h.Write(data)
	return h.Sum(nil)
}

func (c *Cache) recordPath(kind, key string) string {
	return filepath.Join(c.root, "records", fileName(kind), fileName(key))
}

// fileName returns s where it is plain, and else its digest behind an
// underscore, which no plain name has.
func fileName(s string) string {
	if isPlain(s) {
		return s
	}
	return "_" + digest.SHA256([]byte(s))
}

// isPlain reports whether s is 1 to 64 of 0-9, a-z and -.
func isPlain(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return true
}
