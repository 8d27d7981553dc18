package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pgext/pgext/internal/digest"
)

// state is what this process knows of one blob: the size and time that the file
// had when its whole content was seen to match its name. A file that was
// touched since is hashed again.
type state struct {
	mu      sync.Mutex
	known   bool
	size    int64
	modTime time.Time
}

func (s *state) matches(info os.FileInfo) bool {
	return s.known && s.size == info.Size() && s.modTime.Equal(info.ModTime())
}

func (s *state) set(info os.FileInfo) {
	s.known, s.size, s.modTime = true, info.Size(), info.ModTime()
}

func (c *Cache) state(sha string) *state {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.blobs[sha]
	if !ok {
		s = &state{}
		c.blobs[sha] = s
	}
	return s
}

// trust remembers that the content of file, a blob named sha, was verified.
func (c *Cache) trust(sha string, info os.FileInfo) {
	s := c.state(sha)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(info)
}

func (c *Cache) trusted(sha string, info os.FileInfo) bool {
	s := c.state(sha)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.matches(info)
}

// blobPath returns the file of a blob. A digest that is not 64 lower-case hex
// digits is an error, so that it can never name a path outside.
func (c *Cache) blobPath(sha string) (string, error) {
	if !digest.IsSHA256(sha) {
		return "", fmt.Errorf("blob %q: not a SHA-256 digest in lower-case hex", sha)
	}
	return filepath.Join(c.root, "blobs", "sha256", sha[:2], sha), nil
}

// Has returns the size in bytes of a blob and whether the cache holds a file
// for it. The content is not looked at: Open may still find it damaged.
func (c *Cache) Has(sha256 string) (int64, bool) {
	path, err := c.blobPath(sha256)
	if err != nil {
		return 0, false
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	return info.Size(), true
}

// Open opens a blob for reading, at its start. Its whole content is verified
// first, once a process. A blob that is absent gives an error that wraps
// fs.ErrNotExist; so does a damaged one (*DamagedError), which is removed.
// The caller closes the file.
func (c *Cache) Open(sha256 string) (*os.File, error) {
	f, info, err := c.openFile(sha256)
	if err != nil {
		return nil, err
	}
	s := c.state(sha256)
	s.mu.Lock() // whoever else wants this blob waits for the one verification
	defer s.mu.Unlock()
	if s.matches(info) {
		return f, nil
	}
	if err := c.verify(f, sha256, info); err != nil {
		f.Close()
		return nil, err
	}
	s.set(info)
	return f, nil
}

func (c *Cache) openFile(sha string) (*os.File, os.FileInfo, error) {
	path, err := c.blobPath(sha)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("opening blob in the cache: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("opening blob in the cache: %w", err)
	}
	return f, info, nil
}

// verify hashes f without moving its offset.
func (c *Cache) verify(f *os.File, sha string, info os.FileInfo) error {
	h := sha256.New()
	// One byte more than the size shows a file that grows under our hands.
	n, err := io.Copy(h, io.NewSectionReader(f, 0, info.Size()+1))
	if err != nil {
		return fmt.Errorf("verifying blob in the cache: %w", err)
	}
	if n != info.Size() || hex.EncodeToString(h.Sum(nil)) != sha {
		return c.discard(f, sha)
	}
	return nil
}

// discard removes the damaged blob that f is, unless a good one has taken its
// place in the meantime, and returns the error that says so.
func (c *Cache) discard(f *os.File, sha string) error {
	damaged := &DamagedError{SHA256: sha, Path: f.Name()}
	was, err := f.Stat()
	if err != nil {
		return damaged
	}
	if is, err := os.Stat(f.Name()); err != nil || !os.SameFile(was, is) {
		damaged.Removed = true
		return damaged
	}
	damaged.Removed = os.Remove(f.Name()) == nil
	return damaged
}
