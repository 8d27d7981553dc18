package publish

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/registry"
)

// Publisher publishes in registries. Check tells early what Push would refuse.
type Publisher interface {
	Check(ctx context.Context, repo string, p registry.Publication) error
	Push(ctx context.Context, repo string, p registry.Publication) (v1.Hash, error)
}

// Attester makes evidence about an image that is about to be published as
// HOST/NAME, such as signatures.
type Attester interface {
	Attest(ctx context.Context, repo string, about image.Collection) (Attested, error)
}

// Attested is evidence to publish together with an image.
type Attested struct {
	Referrers []v1.Image
	// Tags are for older tools: sha256-<hex>.sig and .att. Their layers join
	// those that are there.
	Tags map[string]v1.Image
}

// Published is what a registry has now.
type Published struct {
	// Repository is HOST/NAME.
	Repository string
	Digest     string
	Tags       []string
	// Referrers and Evidence are how many came with it.
	Referrers, Evidence int
}

// Publish carries an image from a layout to the repository repo, HOST/NAME,
// with everything attached to it there and what a makes; nil makes nothing, and
// so does a where the image cannot be published. Tags move when all of it has
// arrived.
func Publish(ctx context.Context, s location.Stored, repo string, p Publisher, a Attester) (Published, error) {
	found, err := image.At(s.Path).Collect(s.Digest) // whatever the tags name by now
	if err != nil {
		return Published{}, err
	}
	publication := publicationOf(found, s.Tags)
	if a != nil {
		if err := p.Check(ctx, repo, publication); err != nil {
			return Published{}, err
		}
		made, err := a.Attest(ctx, repo, found)
		if err != nil {
			return Published{}, fmt.Errorf("attesting %s@%s: %w", repo, s.Digest, err)
		}
		publication.Referrers = append(publication.Referrers, made.Referrers...)
		publication = publication.With(made.Tags)
	}
	if _, err := p.Push(ctx, repo, publication); err != nil {
		return Published{}, err
	}
	return Published{
		Repository: repo, Digest: s.Digest, Tags: s.Tags,
		Referrers: len(publication.Referrers) + len(publication.Indexes), Evidence: len(publication.Evidence),
	}, nil
}

// publicationOf is a collection under tags; those with a time in them never
// move.
func publicationOf(c image.Collection, tags []string) registry.Publication {
	p := registry.Publication{Index: c.Index, Image: c.Image, Referrers: c.Referrers, Indexes: c.Indexes}.With(c.Evidence)
	for _, tag := range tags {
		if metadata.Immutable(tag) {
			p.Immutable = append(p.Immutable, tag)
		} else {
			p.Moving = append(p.Moving, tag)
		}
	}
	return p
}
