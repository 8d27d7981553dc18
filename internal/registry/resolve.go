package registry

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Resolved is what a reference names. One of Index and Image is set; both read
// from the registry when asked, and verify what they read.
type Resolved struct {
	// Repository is HOST/NAME.
	Repository string
	Digest     v1.Hash
	Index      v1.ImageIndex
	Image      v1.Image
}

// Resolve asks the registry what ref, HOST/NAME[:TAG][@DIGEST], names.
func (c *Client) Resolve(ctx context.Context, ref string) (Resolved, error) {
	r, err := c.resolve(ctx, ref)
	return r, wrap("resolving", ref, err)
}

func (c *Client) resolve(ctx context.Context, ref string) (Resolved, error) {
	// Without StrictValidation a missing tag is "latest", as users expect.
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return Resolved{}, err
	}
	s, err := c.session(ctx, parsed.Context(), transport.PullScope)
	if err != nil {
		return Resolved{}, err
	}
	d, err := s.puller.Get(ctx, parsed)
	if err != nil {
		return Resolved{}, err
	}
	r := Resolved{Repository: parsed.Context().Name(), Digest: d.Digest}
	switch {
	case d.MediaType.IsIndex():
		r.Index, err = d.ImageIndex()
	case d.MediaType.IsImage():
		r.Image, err = d.Image()
	default:
		err = fmt.Errorf("%s is no image", d.MediaType)
	}
	return r, err
}

// Referrers returns the descriptors of the manifests that have digest as their
// subject, from the referrers API or the fallback tag.
func (c *Client) Referrers(ctx context.Context, repo string, digest v1.Hash) ([]v1.Descriptor, error) {
	op := func() ([]v1.Descriptor, error) {
		r, err := name.NewRepository(repo, name.StrictValidation)
		if err != nil {
			return nil, err
		}
		s, err := c.session(ctx, r, transport.PullScope)
		if err != nil {
			return nil, err
		}
		return s.referrers(ctx, digest)
	}
	all, err := op()
	return all, wrap("listing the referrers of", repo+"@"+digest.String(), err)
}
