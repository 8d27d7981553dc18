package cache

import (
	"fmt"
	"io/fs"

	"github.com/pgext/pgext/internal/atomicfile"
)

// WriteError reports that the cache directory cannot take what is to be written.
type WriteError struct {
	Dir string // the cache directory as the user knows it
	Err error
}

// writeError strips the names of temporary files, which nobody knows.
func (c *Cache) writeError(err error) error {
	reason, _ := atomicfile.Reason(err)
	return &WriteError{Dir: c.dir, Err: reason}
}

func (e *WriteError) Error() string { return fmt.Sprintf("writing to the cache %s: %v", e.Dir, e.Err) }

// Unwrap returns the operating system's error.
func (e *WriteError) Unwrap() error { return e.Err }

// Hint returns what a user can do.
func (e *WriteError) Hint() string {
	if atomicfile.Full(e.Err) {
		return "make room there, or name a directory on another disk with --cache-dir"
	}
	return "name a directory that can be written to with --cache-dir"
}

// DamagedError reports that the file of a blob does not hold what its name
// promises. It matches fs.ErrNotExist: the cache has no such blob.
type DamagedError struct {
	SHA256  string
	Path    string
	Removed bool // whether the file is gone now
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("reading blob in the cache: %s: digest mismatch", e.Path)
}

// Unwrap returns fs.ErrNotExist.
func (e *DamagedError) Unwrap() error { return fs.ErrNotExist }

// Hint returns what a user can do.
func (e *DamagedError) Hint() string {
	if e.Removed {
		return "the damaged file has been removed; run the command again"
	}
	return "remove the damaged file, or name another directory with --cache-dir"
}

// MismatchError reports that a blob that was written has another digest than the
// one it was to have.
type MismatchError struct {
	Got, Want string // SHA-256, lower-case hex
	Size      int64  // bytes written
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("digest mismatch: got sha256:%s (%d bytes), want sha256:%s", e.Got, e.Size, e.Want)
}

// ExitCode returns 13, not trustworthy.
func (*MismatchError) ExitCode() int { return 13 }

// homelessError reports that the environment names no place for caches.
type homelessError struct{ err error }

func (e *homelessError) Error() string { return "finding the cache directory: " + e.err.Error() }
func (e *homelessError) Unwrap() error { return e.err }
func (*homelessError) Hint() string    { return "name one with --cache-dir" }
