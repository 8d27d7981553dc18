package publish

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/verify"
)

// Signed is an image that was signed where it is.
type Signed struct {
	Published
	// Bare says which manifests have no document of which kind, so that nothing
	// is claimed about them.
	Bare []string
}

// Sign signs an image where it is, and what is attached to it there. Its tags
// stay as they are.
func Sign(ctx context.Context, m location.Registry, at location.Location, ref string, a Attester) (Signed, error) {
	c, _, err := location.Collect(ctx, m, at, ref)
	if err != nil {
		return Signed{}, err
	}
	bare, err := bareManifests(at, c)
	if err != nil {
		return Signed{}, err
	}
	published, err := signCollected(ctx, m, at, c, a)
	return Signed{published, bare}, err
}

// bareManifests says which manifests lack a document.
func bareManifests(at location.Location, c image.Collection) ([]string, error) {
	documents, err := location.Documents(at, c)
	if err != nil {
		return nil, err
	}
	images, err := c.Architectures()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, img := range images {
		digest, err := img.Digest()
		if err != nil {
			return nil, err
		}
		for _, k := range location.AttachedKinds() {
			if !slices.ContainsFunc(documents[digest], func(d verify.Document) bool { return d.Predicate == k.Predicate }) {
				out = append(out, fmt.Sprintf("no %s is attached to %s", k.Title, digest))
			}
		}
	}
	return out, nil
}

func signCollected(ctx context.Context, m location.Registry, at location.Location, c image.Collection, a Attester) (Published, error) {
	made, err := a.Attest(ctx, at.Repository, c)
	if err != nil {
		return Published{}, fmt.Errorf("signing %s@%s: %w", at, c.Digest, err)
	}
	out := Published{Repository: at.String(), Digest: c.Digest.String(), Referrers: len(made.Referrers), Evidence: len(made.Tags)}
	if len(made.Referrers)+len(made.Tags) == 0 {
		return out, nil
	}
	p := publicationOf(image.Collection{Artifact: c.Artifact, Image: c.Image, Referrers: made.Referrers, Evidence: made.Tags}, nil)
	if at.Layout == "" {
		_, err = m.Push(ctx, at.Repository, p)
		return out, err
	}
	return out, image.At(at.Layout).Write(ctx, image.Output{Referrers: p.Referrers, Evidence: merges(p)})
}
