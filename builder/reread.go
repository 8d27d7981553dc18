package builder

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/provenance"
)

// Comparison is an image beside what its provenance came to.
type Comparison struct {
	// Digest is the image's, "sha256:" and hex.
	Digest  string
	Rebuilt Rebuilt
	// single tells that the image is a manifest that no index has.
	single bool
}

// Same tells whether the digests agree.
func (c Comparison) Same() bool {
	return c.Rebuilt.Same() && (c.single || c.Digest == c.Rebuilt.Digest)
}

// NoProvenanceError is about an image that does not say how it was built.
type NoProvenanceError struct{ Digest string }

func (e *NoProvenanceError) Error() string {
	return fmt.Sprintf("no provenance is attached to the manifest %s", e.Digest)
}

// Hint says where provenance is.
func (*NoProvenanceError) Hint() string {
	return "images of pgext build have it as a referrer; pgext copy carries referrers along, other tools may not"
}

// ExitCode is 13: there is nothing to rely on.
func (*NoProvenanceError) ExitCode() int { return 13 }

// RebuildAt rebuilds the image that ref names in a place from the provenance
// that is attached to its manifests there.
func (b *Builder) RebuildAt(ctx context.Context, m Mirror, at Place, ref, beside string) (Comparison, error) {
	c, _, err := collect(ctx, m, at, ref)
	if err != nil {
		return Comparison{}, err
	}
	images, err := architectures(c)
	if err != nil {
		return Comparison{}, err
	}
	var statements []provenance.Statement
	for _, img := range images {
		digest, err := img.Digest()
		if err != nil {
			return Comparison{}, err
		}
		s, err := provenanceOf(c, digest)
		if err != nil {
			return Comparison{}, err
		}
		statements = append(statements, s)
	}
	rebuilt, err := b.Rebuild(ctx, statements, beside)
	return Comparison{Digest: c.Digest.String(), Rebuilt: rebuilt, single: c.Index == nil}, err
}

// architectures are the images of a collection.
func architectures(c image.Collection) ([]v1.Image, error) {
	if c.Index == nil {
		return []v1.Image{c.Image}, nil
	}
	a, err := image.FromIndex(c.Index)
	return a.Images, err
}

// provenanceOf is the plain provenance that is attached to a manifest.
func provenanceOf(c image.Collection, manifest v1.Hash) (provenance.Statement, error) {
	for _, r := range c.Referrers {
		subject, document, ok, err := image.ReadReferrer(r)
		if err != nil {
			return provenance.Statement{}, err
		}
		if ok && subject == manifest && document.ArtifactType == ProvenanceType {
			return provenance.Parse(document.Content)
		}
	}
	return provenance.Statement{}, &NoProvenanceError{manifest.String()}
}
