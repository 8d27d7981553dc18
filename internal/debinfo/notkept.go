package debinfo

import (
	"fmt"
	"io"
)

// notKept is the Content of a file that the scan did not keep.
type notKept struct{ pkg, path string }

// Absent implements filetree.Absent.
func (notKept) Absent() {}

// Open implements filetree.Content. It always fails.
func (n notKept) Open() (io.ReadCloser, error) {
	return nil, fmt.Errorf("opening %s of %s: the file was not kept when the package was scanned", n.path, n.pkg)
}
