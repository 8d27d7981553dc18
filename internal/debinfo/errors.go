package debinfo

import (
	"fmt"
	"io"
)

// NotKeptError is what opening a file gives that no Read asked to keep.
type NotKeptError struct {
	Package, Path string
}

func (e *NotKeptError) Error() string {
	return fmt.Sprintf("opening %s of %s: the file was not kept when the package was read", e.Path, e.Package)
}

// notKept is the Content of such a file.
type notKept struct{ pkg, path string }

// Absent implements filetree.Absent.
func (notKept) Absent() {}

func (n notKept) Open() (io.ReadCloser, error) {
	return nil, &NotKeptError{Package: n.pkg, Path: n.path}
}

// PrivilegeError says that a file was to be kept that runs with its owner's
// or group's rights. It is never kept: an image has no such files.
type PrivilegeError struct {
	Path string
}

func (e *PrivilegeError) Error() string {
	return fmt.Sprintf("keeping %s: the file is set-user-ID or set-group-ID", e.Path)
}

// Hint tells what a user can do.
func (e *PrivilegeError) Hint() string {
	return "an extension image cannot hold such a program; name packages without it"
}
