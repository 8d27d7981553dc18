package image

import (
	"errors"
	"io/fs"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/failure"
)

// damaged returns the error for the blob of d, whose content has another digest
// or size.
func (l *Layout) damaged(d v1.Descriptor, got v1.Hash, size int64) error {
	const hint = "build or push the image again"
	if got == d.Digest {
		return failure.New(failure.Untrusted, hint, "layout %s: blob %s: size mismatch: got %d bytes, want %d", l.dir, d.Digest, size, d.Size)
	}
	return failure.New(failure.Untrusted, hint, "layout %s: blob %s: digest mismatch: got %s", l.dir, d.Digest, got)
}

// absent returns the error for the blob of d, which could not be opened.
func (l *Layout) absent(d v1.Descriptor, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return failure.New(failure.Untrusted, "copy the whole layout again, or build the image again", "layout %s: blob %s not found", l.dir, d.Digest)
	}
	return err
}
