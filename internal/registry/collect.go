package registry

import (
	"context"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/errgroup"
)

// Collection is an image with all that is said about it. Manifests were read
// and verified; blobs are read, and verified, when they are asked for.
type Collection struct {
	Digest v1.Hash
	// Index is the image, or Image when no index has it.
	Index v1.ImageIndex
	Image v1.Image
	// Referrers are of Index, of what it lists, and of other referrers.
	// Indexes are those that are indexes themselves.
	Referrers []v1.Image
	Indexes   []v1.ImageIndex
	// Evidence is what the tags for older tools name, such as
	// sha256-<hex>.sig.
	Evidence map[string]v1.Image
	// Missing are listed as referrers, and not there.
	Missing []v1.Hash
}

// Collect reads what ref, HOST/NAME[:TAG][@DIGEST], names, and what is
// attached to it.
func (c *Client) Collect(ctx context.Context, ref string) (Collection, error) {
	out, err := c.collect(ctx, ref)
	return out, wrap("reading", ref, err)
}

func (c *Client) collect(ctx context.Context, ref string) (Collection, error) {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return Collection{}, err
	}
	s, err := c.session(ctx, parsed.Context(), transport.PullScope)
	if err != nil {
		return Collection{}, err
	}
	top, ok, err := s.open(ctx, parsed.Identifier(), 0)
	if err != nil {
		return Collection{}, err
	}
	if !ok {
		return Collection{}, &NotFoundError{Ref: parsed.Identifier()}
	}
	out := Collection{Digest: top.digest, Index: top.index, Image: top.image, Evidence: map[string]v1.Image{}}
	seen := map[v1.Hash]bool{}
	for next := append(top.below, top.digest); len(next) > 0; {
		next = slices.DeleteFunc(next, func(h v1.Hash) bool {
			known := seen[h]
			seen[h] = true
			return known
		})
		if err := s.collectEvidence(ctx, next, &out); err != nil {
			return Collection{}, err
		}
		if next, err = s.collectReferrers(ctx, next, seen, &out); err != nil {
			return Collection{}, err
		}
	}
	return out, nil
}

// collectReferrers adds the referrers of subjects that were not seen yet, and
// returns the digests of their manifests.
func (s *session) collectReferrers(ctx context.Context, subjects []v1.Hash, seen map[v1.Hash]bool, out *Collection) ([]v1.Hash, error) {
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
			out.Indexes = append(out.Indexes, got.index)
		default:
			out.Referrers = append(out.Referrers, got.image)
		}
		next = append(append(next, d.Digest), got.below...)
	}
	return next, nil
}

// collectEvidence adds what the tags of evidence about subjects name.
func (s *session) collectEvidence(ctx context.Context, subjects []v1.Hash, out *Collection) error {
	var tags []string
	for _, h := range subjects {
		tags = append(tags, evidenceTags(h)...)
	}
	found := make([]opened, len(tags))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(s.client.o.Jobs)
	for i, tag := range tags {
		g.Go(func() error {
			if _, ok, err := s.names(gctx, tag); err != nil || !ok {
				return err
			}
			// Blobs are read later, when gctx is done.
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
			out.Evidence[tag] = found[i].image
		}
	}
	return nil
}

// NotFoundError says that a repository has no such tag or digest.
type NotFoundError struct{ Ref string }

func (e *NotFoundError) Error() string { return "there is no " + e.Ref }

// ExitCode is that of registry errors.
func (*NotFoundError) ExitCode() int { return exitCode }
