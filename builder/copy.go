package builder

import (
	"context"
	"errors"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/registry"
)

// Place is where an image is copied from, or to: one of the two is set.
type Place struct {
	// Layout is a folder.
	Layout string
	// Repository is HOST/NAME.
	Repository string
}

func (p Place) String() string {
	if p.Layout != "" {
		return "oci:" + p.Layout
	}
	return p.Repository
}

// Mirror reads from registries and publishes in them.
type Mirror interface {
	Publisher
	Resolver
	Collect(ctx context.Context, ref string) (registry.Collection, error)
	Tags(ctx context.Context, repo string) ([]string, error)
}

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
func Copy(ctx context.Context, m Mirror, from Place, ref string, to Destination) (Copied, error) {
	c, missing, err := collect(ctx, m, from, ref)
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
	Place
	Tags []string
}

// collect reads an image with all that is attached to it.
func collect(ctx context.Context, m Mirror, from Place, ref string) (image.Collection, []string, error) {
	if from.Layout != "" {
		c, err := image.At(from.Layout).Collect(ref)
		return c, nil, err
	}
	r, err := m.Collect(ctx, reference(from.Repository, ref))
	if err != nil {
		return image.Collection{}, nil, err
	}
	var missing []string
	for _, h := range r.Missing {
		missing = append(missing, h.String())
	}
	return image.Collection{
		Artifact: image.Artifact{Digest: r.Digest, Index: r.Index}, Image: r.Image,
		Referrers: r.Referrers, Indexes: r.Indexes, Evidence: r.Evidence,
	}, missing, nil
}

// reference is HOST/NAME with a tag or digest.
func reference(repo, ref string) string {
	if _, err := v1.NewHash(ref); err == nil {
		return repo + "@" + ref
	}
	return repo + ":" + ref
}

// readingError tells the failures of a registry that is read from those of the
// layout that is written.
func readingError(from Place, err error) error {
	var write *image.WriteError
	if err == nil || from.Layout != "" || errors.As(err, &write) || errors.Is(err, context.Canceled) {
		return err
	}
	return &registry.Error{Op: "copying", Ref: from.Repository, Err: err}
}

// TagsIn returns the images with a tag in a place, each with all its tags. Their
// Name and Path are empty where it is a registry.
func TagsIn(ctx context.Context, m Mirror, from Place) ([]Stored, error) {
	if from.Layout != "" {
		return Images("", from.Layout)
	}
	tags, err := m.Tags(ctx, from.Repository)
	if err != nil {
		return nil, err
	}
	var out []Stored
	for _, tag := range tags {
		if strings.HasPrefix(tag, "sha256-") {
			continue // lists of referrers, and evidence: they come with their images
		}
		r, err := m.Resolve(ctx, reference(from.Repository, tag))
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(out, func(s Stored) bool { return s.Digest == r.Digest.String() })
		if i < 0 {
			i = len(out)
			out = append(out, Stored{Digest: r.Digest.String()})
		}
		out[i].Tags = append(out[i].Tags, tag)
	}
	return out, nil
}
