package regress

import (
	"fmt"
	"io"
	"io/fs"
)

// maxFile is how large a file of a suite may be that is read here: a schedule,
// a resultmap, a configuration, a control file; in bytes.
const maxFile = 1 << 20

// ReadFile returns a file of a source tree. The error wraps fs.ErrNotExist, or
// is an *Error when no file of a suite is like that.
func ReadFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for who writes
		return nil, &Error{Reason: name + " is no file"}
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was read only
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = &Error{Reason: fmt.Sprintf("%s has more than %d bytes", name, maxFile)}
	}
	return text, err
}
