package registry

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/pgext/pgext/internal/oci"
)

// Resolve returns the image that ref, HOST/NAME[:TAG][@DIGEST], names, without its
// attachments. Blobs are read, and verified, when needed.
func (c *Client) Resolve(ctx context.Context, ref string) (oci.Set, error) {
	s, err := c.resolve(ctx, ref)
	return s, wrap("resolving", ref, err)
}

func (c *Client) resolve(ctx context.Context, ref string) (oci.Set, error) {
	s, parsed, err := c.openReference(ctx, ref)
	if err != nil {
		return oci.Set{}, err
	}
	d, err := s.puller.Get(ctx, parsed)
	if err != nil {
		return oci.Set{}, err
	}
	switch {
	case d.MediaType.IsIndex():
		idx, err := d.ImageIndex()
		if err != nil {
			return oci.Set{}, err
		}
		return oci.FromIndex(idx)
	case d.MediaType.IsImage():
		img, err := d.Image()
		if err != nil {
			return oci.Set{}, err
		}
		return oci.FromImage(img)
	}
	return oci.Set{}, fmt.Errorf("%s is not the media type of an image", d.MediaType)
}

// openReference parses ref and connects to its repository to read from it. A
// missing tag is "latest".
func (c *Client) openReference(ctx context.Context, ref string) (*session, name.Reference, error) {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return nil, nil, err
	}
	s, err := c.session(ctx, parsed.Context(), transport.PullScope)
	return s, parsed, err
}

// Digest returns the digest of the manifest that ref, HOST/NAME[:TAG][@DIGEST],
// names.
func (c *Client) Digest(ctx context.Context, ref string) (v1.Hash, error) {
	op := func() (v1.Hash, error) {
		s, parsed, err := c.openReference(ctx, ref)
		if err != nil {
			return v1.Hash{}, err
		}
		h, ok, err := s.names(ctx, parsed.Identifier())
		if err == nil && !ok {
			err = &NotFoundError{Ref: parsed.Identifier()}
		}
		return h, err
	}
	h, err := op()
	return h, wrap("resolving", ref, err)
}

// Referrers returns the descriptors of the manifests with subject digest, from the
// referrers API or the fallback tag.
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
