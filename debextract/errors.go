package debextract

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pgext/pgext/internal/decompress"
)

// Why a file is refused. Every error of this package wraps one of these, the
// error of the underlying reader, or the caller's own; it starts with the
// member and the entry it is about: data.tar.xz: entry "../x" leaves the root.
var (
	// ErrFormat is a file that is no ar archive of the kind deb(5) describes.
	ErrFormat = errors.New("not a Debian package")
	// ErrVersion is a major format version other than 2.
	ErrVersion = errors.New("unknown format version")
	// ErrMember is an ar member that is missing, unknown or out of order.
	ErrMember = errors.New("unexpected member")
	// ErrUnsupported is a compression format or a type of tar entry that is
	// not read here.
	ErrUnsupported = errors.New("unsupported")
	// ErrTruncated is a file, stream or archive that ends too early.
	ErrTruncated = errors.New("truncated")
	// ErrTrailing is data after the last member, or after the end of a tar
	// archive.
	ErrTrailing = errors.New("has trailing garbage")
	// ErrCorrupt is a wrong checksum, or a structure that makes no sense.
	ErrCorrupt = errors.New("corrupt")
	// ErrTooLarge is more than Options allow.
	ErrTooLarge = errors.New("too large")
	// ErrControl is a control member that deb(5) does not allow.
	ErrControl = errors.New("malformed control member")

	// ErrAbsolutePath is an entry whose name starts with a slash.
	ErrAbsolutePath = errors.New("has an absolute path")
	// ErrEscapingPath is an entry whose name has a ".." element.
	ErrEscapingPath = errors.New("leaves the root")
	// ErrInvalidPath is a name that is empty, too long or not UTF-8 (Debian
	// Policy 10.10).
	ErrInvalidPath = errors.New("has an invalid path")
	// ErrThroughSymlink is an entry below a path that is a symbolic link.
	ErrThroughSymlink = errors.New("lies below a symbolic link")
	// ErrBelowFile is an entry below a path that is a file.
	ErrBelowFile = errors.New("lies below a file")
	// ErrEscapingLink is a link whose relative target is above the root.
	ErrEscapingLink = errors.New("links to the outside of the root")
	// ErrInvalidLink is a link without a target, or with an overlong one.
	ErrInvalidLink = errors.New("has an invalid link target")
	// ErrHardLink is a hard link to what no earlier entry has brought.
	ErrHardLink = errors.New("is a hard link to nothing before it")
	// ErrDuplicate is a path that appears twice; only directories may.
	ErrDuplicate = errors.New("appears twice")
	// ErrSetuid is an entry with the setuid or setgid bit.
	ErrSetuid = errors.New("is setuid or setgid")
	// ErrDevice is a device node or a FIFO.
	ErrDevice = errors.New("is a device")
	// ErrSparse is a file with holes, which packages do not have.
	ErrSparse = errors.New("is a sparse file")
)

// classify adds the sentinel that belongs to an error of the decompressor or
// of archive/tar.
func classify(err error) error {
	var limit *decompress.LimitError
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &limit):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", ErrTruncated, err)
	case errors.Is(err, decompress.ErrUnsupported):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	case errors.Is(err, decompress.ErrCorrupt), errors.Is(err, tar.ErrHeader), errors.Is(err, tar.ErrFieldTooLong):
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}
