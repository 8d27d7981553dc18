package filetree

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// Kind is the type of an Entry.
type Kind uint8

// The kinds an entry can have. A hard link is a File that shares its Content.
const (
	File Kind = iota
	Dir
	Symlink
)

// String returns the one-letter form used in dumps: f, d or l.
func (k Kind) String() string {
	switch k {
	case File:
		return "f"
	case Dir:
		return "d"
	case Symlink:
		return "l"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Origin identifies the source of an entry.
type Origin struct {
	// Package is the binary package; "" for files that pgext generated.
	Package string `json:"package,omitempty"`
	// Path is the path inside that package, relative to the root.
	Path string `json:"path,omitempty"`
}

// Content is an immutable byte source that can be opened any number of times.
// The reader returns an error instead of io.EOF on a digest mismatch.
type Content interface {
	Open() (io.ReadCloser, error)
}

// Absent is a Content that cannot be opened because its bytes were not kept.
type Absent interface {
	Content
	Absent()
}

// Entry is one path of a Tree.
type Entry struct {
	// Path is slash-separated, relative and valid by fs.ValidPath, never ".".
	Path string
	Kind Kind
	// Mode holds permission bits, and fs.ModeSetuid, fs.ModeSetgid and
	// fs.ModeSticky; never a type.
	Mode fs.FileMode
	// ModTime is in UTC, whole seconds.
	ModTime time.Time
	// Link is the target of a symlink, unresolved.
	Link string
	// Size is in bytes; files only.
	Size int64
	// SHA256 is the content's digest in lower-case hex; files only.
	SHA256 string
	Origin Origin
	// Content is nil for directories and symlinks.
	Content Content
}

// Bytes returns a Content with the bytes b. The caller must not change b later.
func Bytes(b []byte) Content { return memory(b) }

// Holding returns e with Size, SHA256 and Content set from b. The caller must
// not change b later.
func (e Entry) Holding(b []byte) Entry {
	sum := sha256.Sum256(b)
	e.Size, e.SHA256, e.Content = int64(len(b)), hex.EncodeToString(sum[:]), Bytes(b)
	return e
}

type memory []byte

func (m memory) Open() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(m)), nil
}

// ReadAll returns the content of a file entry. A file larger than limit bytes is
// an error.
func (e Entry) ReadAll(limit int64) ([]byte, error) {
	if e.Kind != File || e.Content == nil {
		return nil, fmt.Errorf("reading %s: no content", e.Path)
	}
	if e.Size > limit {
		return nil, fmt.Errorf("reading %s: %d bytes, more than %d", e.Path, e.Size, limit)
	}
	r, err := e.Content.Open()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", e.Path, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", e.Path, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("reading %s: more than %d bytes", e.Path, limit)
	}
	return b, nil
}
