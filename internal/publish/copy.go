package publish

import (
	"context"
	"errors"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/registry"
)

// Copied is an image that was copied.
type Copied struct {
	Digest string
	Tags   []string
	// Referrers and Evidence are the numbers of referrers and legacy tags copied
	// with it.
	Referrers, Evidence int
	// Missing are digests that the source lists as referrers and does not have.
	Missing []string
}

// Copy copies the image at from to the layout or repository to, and gives it tags
// there. Everything attached to it, to what it lists, and to other attachments is
// copied. No byte changes; existing content of the destination is not sent.
func Copy(ctx context.Context, m location.Registry, from, to oci.Ref, tags []string) (Copied, error) {
	s, err := location.Collect(ctx, m, from)
	if err != nil {
		return Copied{}, err
	}
	out := Copied{Digest: s.Digest.String(), Tags: tags}
	out.Referrers, out.Evidence = s.Attachments()
	for _, h := range s.Missing {
		out.Missing = append(out.Missing, h.String())
	}
	if to.Layout == "" {
		_, err = m.Push(ctx, to.Repository, publicationOf(s, tags))
		return out, err
	}
	err = image.At(to.Layout).Write(ctx, image.Output{Set: s, Tags: tags})
	return out, readingError(from, err)
}

// readingError returns err as an error of the registry that is read, unless it is
// from the layout that is written.
func readingError(from oci.Ref, err error) error {
	var write *image.WriteError
	if err == nil || from.Layout != "" || errors.As(err, &write) || errors.Is(err, context.Canceled) {
		return err
	}
	return &registry.Error{Op: "copying", Ref: from.Repository, Err: err}
}
