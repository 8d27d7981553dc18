package regress

import (
	"io"
	"io/fs"
)

// maxFile limits the files that are read here (schedules, resultmaps, configurations
// and control files), in bytes.
const maxFile = 1 << 20

// ReadFile returns the content of a regular file of a source tree of at most 1 MiB.
// The error wraps fs.ErrNotExist if there is none.
func ReadFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would block
		return nil, refuse("", "%s is not a regular file", name)
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = refuse("", "%s has more than %d bytes", name, maxFile)
	}
	return text, err
}
