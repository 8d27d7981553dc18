package image

import (
	"fmt"

	"github.com/pgext/pgext/internal/atomicfile"
)

// WriteError is an error of the file system while a layout is written.
type WriteError struct {
	Dir string
	Err error
}

// writeError returns a *WriteError for an error of the file system, without the
// names of temporary files, and otherwise err with the layout's name.
func (l *Layout) writeError(err error) error {
	if reason, ok := atomicfile.Reason(err); ok {
		return &WriteError{l.dir, reason}
	}
	return fmt.Errorf("writing layout %s: %w", l.dir, err)
}

func (e *WriteError) Error() string { return fmt.Sprintf("writing layout %s: %v", e.Dir, e.Err) }

// Unwrap returns the operating system's error.
func (e *WriteError) Unwrap() error { return e.Err }

// Hint returns a way to make room or another folder.
func (e *WriteError) Hint() string {
	if atomicfile.Full(e.Err) {
		return "free space there, or name a folder on another disk with --output"
	}
	return "name a writable folder with --output"
}
