package atomicfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Temporary starts the name that a file has, in the folder it is for, until it
// is whole.
const Temporary = ".pgext-"

// mode is that of a file that everybody may read, whatever the umask.
const mode = 0o644

// Write makes path hold data. A file that holds it already is not touched, and
// a link is replaced, not followed. After an error, a *WriteError, path is as
// it was.
func Write(path string, data []byte) error {
	if holds(path, data) {
		return nil
	}
	if err := replace(path, data); err != nil {
		return writeError(path, err)
	}
	return nil
}

// holds reports whether path is a file with this content.
func holds(path string, data []byte) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(data)) {
		return false
	}
	old, err := os.ReadFile(path)
	return err == nil && bytes.Equal(old, data)
}

func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), Temporary+"*")
	if err != nil {
		return err
	}
	err = fill(f, data)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name()) //nolint:errcheck // the first error is the one to tell
	}
	return err
}

// fill writes data into f, and on to the disk.
func fill(f *os.File, data []byte) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	err := f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // a file system with no disk to sync to, fsync(2)
	}
	return err
}

// WriteError reports that a file cannot be written.
type WriteError struct {
	Path string
	// Err is the operating system's reason.
	Err error
}

// writeError leaves out the name of the temporary file, which means nothing to
// people.
func writeError(path string, err error) error {
	reason, _ := Reason(err)
	return &WriteError{path, reason}
}

func (e *WriteError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the operating system's reason.
func (e *WriteError) Unwrap() error { return e.Err }

// Hint returns what a user can do.
func (e *WriteError) Hint() string {
	switch {
	case Full(e.Err):
		return "make room in " + filepath.Dir(e.Path)
	case errors.Is(e.Err, fs.ErrNotExist):
		return "make the folder " + filepath.Dir(e.Path) + " first"
	case errors.Is(e.Err, syscall.EISDIR), errors.Is(e.Err, fs.ErrExist):
		return "a folder has this name"
	}
	return "it needs a folder that can be written to"
}
