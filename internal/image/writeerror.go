package image

import (
	"fmt"

	"github.com/pgext/pgext/internal/atomicfile"
)

// WriteError says that a layout cannot be written.
type WriteError struct {
	Dir string
	Err error
}

// writeError leaves out the names of temporary files, which mean nothing to
// people. What is no matter of the file system stays as it is.
func (l *Layout) writeError(err error) error {
	if reason, ok := atomicfile.Reason(err); ok {
		return &WriteError{l.dir, reason}
	}
	return fmt.Errorf("writing layout %s: %w", l.dir, err)
}

func (e *WriteError) Error() string { return fmt.Sprintf("writing layout %s: %v", e.Dir, e.Err) }

// Unwrap returns the operating system's error.
func (e *WriteError) Unwrap() error { return e.Err }

// Hint says what a user can do.
func (e *WriteError) Hint() string {
	if atomicfile.Full(e.Err) {
		return "make room there, or name a folder on another disk with --output"
	}
	return "name a folder that can be written to with --output"
}
