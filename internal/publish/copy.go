package publish

import (
	"context"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/registry"
)

// Copied is what Copy brought to a place.
type Copied struct {
	Digest string
	Tags   []string
	// Referrers and Evidence are how many came with it.
	Referrers, Evidence int
	// Missing are digests that the source lists as referrers and does not
	// have.
	Missing []string
}

// Copy carries the image that ref, a tag or digest, names in from to another
// place and gives it tags there. What is attached to it, or to what it lists,
// or to that in turn, comes along. No byte changes; what the destination has
// already stays, and is not sent.
func Copy(ctx context.Context, m location.Registry, from location.Location, ref string, to Destination) (Copied, error) {
	c, missing, err := location.Collect(ctx, m, from, ref)
	if err != nil {
		return Copied{}, err
	}
	out := Copied{
		Digest: c.Digest.String(), Tags: to.Tags, Missing: missing,
		Referrers: len(c.Referrers) + len(c.Indexes), Evidence: len(c.Evidence),
	}
	p := publicationOf(c, to.Tags)
	if to.Layout == "" {
		_, err = m.Push(ctx, to.Repository, p)
		return out, err
	}
	err = image.At(to.Layout).Write(ctx, image.Output{
		Index: c.Index, Image: c.Image, Tags: to.Tags, Referrers: c.Referrers, Indexes: c.Indexes, Evidence: merges(p),
	})
	return out, readingError(from, err)
}

// merges are the evidence of p as a layout takes it.
func merges(p registry.Publication) map[string]func(v1.Image) (v1.Image, error) {
	out := map[string]func(v1.Image) (v1.Image, error){}
	for tag, e := range p.Evidence {
		out[tag] = e
	}
	return out
}

// Destination is where a copy goes, and what it is called there.
type Destination struct {
	location.Location
	Tags []string
}

// readingError tells the failures of a registry that is read from those of the
// layout that is written.
func readingError(from location.Location, err error) error {
	var write *image.WriteError
	if err == nil || from.Layout != "" || errors.As(err, &write) || errors.Is(err, context.Canceled) {
		return err
	}
	return &registry.Error{Op: "copying", Ref: from.Repository, Err: err}
}
