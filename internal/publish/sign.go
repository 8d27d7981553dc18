package publish

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/verify"
)

// Signed is an image that was signed in place.
type Signed struct {
	Published
	// Bare describes the documents that manifests lack and that were therefore
	// not signed, such as "no SBOM (SPDX) is attached to sha256:…".
	Bare []string
}

// Sign signs the image at ref and its attachments in place. Its tags do not
// change.
func Sign(ctx context.Context, m location.Registry, ref oci.Ref, a Signer) (Signed, error) {
	c, err := location.Collect(ctx, m, ref)
	if err != nil {
		return Signed{}, err
	}
	bare, err := bareManifests(ref, c)
	if err != nil {
		return Signed{}, err
	}
	published, err := signCollected(ctx, m, ref.Location(), c, a)
	return Signed{published, bare}, err
}

// bareManifests returns Signed.Bare.
func bareManifests(at oci.Ref, c oci.Set) ([]string, error) {
	documents, err := location.Documents(at, c)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, img := range c.Images {
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

func signCollected(ctx context.Context, m location.Registry, at oci.Ref, c oci.Set, a Signer) (Published, error) {
	made, err := a.Attest(ctx, at.Repository, c)
	if err != nil {
		return Published{}, fmt.Errorf("signing %s@%s: %w", at, c.Digest, err)
	}
	out := Published{Repository: at.String(), Digest: c.Digest.String()}
	out.Referrers, out.Evidence = made.Attachments()
	if out.Referrers+out.Evidence == 0 {
		return out, nil
	}
	if at.Layout == "" {
		made.Index, made.Images = c.Index, c.Images
		_, err = m.Push(ctx, at.Repository, publicationOf(made, nil))
		return out, err
	}
	return out, image.At(at.Layout).Write(ctx, image.Output{Set: made})
}
