package registry

import (
	"context"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/oci"
)

// Collect reads the image that ref, HOST/NAME[:TAG][@DIGEST], names and
// everything attached to it. Manifests are read and verified; blobs are read, and
// verified, when needed.
func (c *Client) Collect(ctx context.Context, ref string) (oci.Set, error) {
	out, err := c.collect(ctx, ref)
	return out, wrap("reading", ref, err)
}

func (c *Client) collect(ctx context.Context, ref string) (oci.Set, error) {
	s, parsed, err := c.openReference(ctx, ref)
	if err != nil {
		return oci.Set{}, err
	}
	top, ok, err := s.open(ctx, parsed.Identifier(), 0)
	if err != nil {
		return oci.Set{}, err
	}
	if !ok {
		return oci.Set{}, &NotFoundError{Ref: parsed.Identifier()}
	}
	out, err := top.set()
	if err != nil {
		return oci.Set{}, err
	}
	out.Legacy = map[string]v1.Image{}
	seen := map[v1.Hash]bool{}
	for next := append(top.below, top.digest); len(next) > 0; {
		next = slices.DeleteFunc(next, func(h v1.Hash) bool {
			known := seen[h]
			seen[h] = true
			return known
		})
		if err := s.collectLegacy(ctx, next, &out); err != nil {
			return oci.Set{}, err
		}
		if next, err = s.collectReferrers(ctx, next, seen, &out); err != nil {
			return oci.Set{}, err
		}
	}
	return out, nil
}

// collectReferrers adds the new referrers of subjects to out and returns the
// digests of their manifests.
func (s *session) collectReferrers(ctx context.Context, subjects []v1.Hash, seen map[v1.Hash]bool, out *oci.Set) ([]v1.Hash, error) {
	lists := make([][]v1.Descriptor, len(subjects))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(s.client.o.Jobs)
	for i, h := range subjects {
		g.Go(func() (err error) {
			lists[i], err = s.referrers(gctx, h)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var next []v1.Hash
	for _, d := range slices.Concat(lists...) {
		if seen[d.Digest] || slices.Contains(next, d.Digest) || slices.Contains(out.Missing, d.Digest) {
			continue
		}
		got, ok, err := s.open(ctx, d.Digest.String(), 0)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			out.Missing = append(out.Missing, d.Digest)
			continue
		case got.index != nil:
			out.ReferrerIndexes = append(out.ReferrerIndexes, got.index)
		default:
			out.Referrers = append(out.Referrers, got.image)
		}
		next = append(append(next, d.Digest), got.below...)
	}
	return next, nil
}

// collectLegacy adds the images of the legacy tags of subjects to out.
func (s *session) collectLegacy(ctx context.Context, subjects []v1.Hash, out *oci.Set) error {
	var tags []string
	for _, h := range subjects {
		tags = append(tags, oci.LegacyTags(h)...)
	}
	found := make([]opened, len(tags))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(s.client.o.Jobs)
	for i, tag := range tags {
		g.Go(func() error {
			if _, ok, err := s.names(gctx, tag); err != nil || !ok {
				return err
			}
			// Blobs are read later, when gctx is cancelled.
			got, ok, err := s.open(ctx, tag, 0)
			if ok {
				found[i] = got
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, tag := range tags {
		if found[i].image != nil {
			out.Legacy[tag] = found[i].image
		}
	}
	return nil
}

// NotFoundError is the error for a tag or digest that a repository does not have.
type NotFoundError struct{ Ref string }

func (e *NotFoundError) Error() string { return "no such tag or digest: " + e.Ref }

// ExitCode returns the exit code of registry errors.
func (*NotFoundError) ExitCode() int { return exitCode }
