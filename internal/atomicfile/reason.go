package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Reason returns the operating system's reason in err, without paths. ok is
// false when err is no matter of the file system.
func Reason(err error) (reason error, ok bool) {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err, true
	case errors.As(err, &link):
		return link.Err, true
	}
	return err, false
}

// Full reports whether err says that there is no room left, on the disk or for
// its user.
func Full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
