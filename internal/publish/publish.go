package publish

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/registry"
)

// Publisher publishes in registries. Check makes the checks of Push that need no
// upload.
type Publisher interface {
	Check(ctx context.Context, repo string, p registry.Publication) error
	Push(ctx context.Context, repo string, p registry.Publication) (v1.Hash, error)
}

// Signer signs an image that is going to be published as HOST/NAME. It returns the
// referrers and legacy images to attach; Attestor implements it.
type Signer interface {
	Attest(ctx context.Context, repo string, about oci.Set) (oci.Set, error)
}

// Published is an image that was published.
type Published struct {
	// Repository is HOST/NAME.
	Repository string
	Digest     string
	Tags       []string
	// Referrers and Evidence are the numbers of referrers and legacy tags
	// published with it.
	Referrers, Evidence int
}

// Publish copies an image from a layout to the repository repo, HOST/NAME, with its
// attachments and those that a makes; a may be nil. If Publisher.Check fails, a is
// not called. Tags are set after everything else was sent.
func Publish(ctx context.Context, s location.Stored, repo string, p Publisher, a Signer) (Published, error) {
	found, err := image.At(s.Path).Collect(s.Digest) // tags may have moved
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
		if publication.Set, err = publication.WithAttachments(made); err != nil {
			return Published{}, fmt.Errorf("attesting %s@%s: %w", repo, s.Digest, err)
		}
	}
	if _, err := p.Push(ctx, repo, publication); err != nil {
		return Published{}, err
	}
	out := Published{Repository: repo, Digest: s.Digest, Tags: s.Tags}
	out.Referrers, out.Evidence = publication.Attachments()
	return out, nil
}

// publicationOf returns the publication of an image with tags. Tags that contain a
// time never move.
func publicationOf(s oci.Set, tags []string) registry.Publication {
	p := registry.Publication{Set: s}
	for _, tag := range tags {
		if metadata.Immutable(tag) {
			p.Immutable = append(p.Immutable, tag)
		} else {
			p.Moving = append(p.Moving, tag)
		}
	}
	return p
}
