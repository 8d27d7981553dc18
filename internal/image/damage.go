package image

import (
	"errors"
	"fmt"
	"io/fs"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// DamagedError says that a blob is not what its digest promises.
type DamagedError struct {
	// Where is the layout or image that holds it.
	Where string
	// Want is the blob's name, Got its content's digest.
	Want, Got v1.Hash
	// WantSize and GotSize are in bytes, where the digest is right and the size
	// is not.
	WantSize, GotSize int64
}

// damaged is the error about the blob that d describes.
func (l *Layout) damaged(d v1.Descriptor, got v1.Hash, size int64) error {
	e := &DamagedError{Where: "layout " + l.dir, Want: d.Digest, Got: got}
	if got == d.Digest {
		e.WantSize, e.GotSize = d.Size, size
	}
	return e
}

func (e *DamagedError) Error() string {
	if e.WantSize != e.GotSize {
		return fmt.Sprintf("%s: blob %s has %d bytes, and what lists it says %d", e.Where, e.Want, e.GotSize, e.WantSize)
	}
	return fmt.Sprintf("%s: blob %s is damaged: its content has %s", e.Where, e.Want, e.Got)
}

// ExitCode is that of what cannot be trusted.
func (*DamagedError) ExitCode() int { return 13 }

// Hint says how to repair it.
func (*DamagedError) Hint() string { return "build or push the image again" }

// TwofoldError says that a manifest can be read as an image and as an index:
// what one program judges is not what another one runs.
type TwofoldError struct{ Digest v1.Hash }

func (e *TwofoldError) Error() string {
	return fmt.Sprintf("manifest %s is an image and an index at once", e.Digest)
}

// ExitCode is that of what cannot be trusted.
func (*TwofoldError) ExitCode() int { return 13 }

// Hint says what it means.
func (*TwofoldError) Hint() string {
	return "no program writes such a manifest by mistake: do not use the image"
}

// AbsentError says that a layout lacks a blob that one of its manifests lists.
type AbsentError struct {
	Dir    string
	Digest v1.Hash
}

// absent is the error about the blob that d describes, which could not be
// opened.
func (l *Layout) absent(d v1.Descriptor, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &AbsentError{l.dir, d.Digest}
	}
	return err
}

func (e *AbsentError) Error() string {
	return fmt.Sprintf("layout %s: blob %s is not there", e.Dir, e.Digest)
}

// ExitCode is that of what cannot be trusted.
func (*AbsentError) ExitCode() int { return 13 }

// Hint says how to repair it.
func (*AbsentError) Hint() string {
	return "copy the layout again, all of it, or build the image again"
}
