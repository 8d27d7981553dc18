package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Publication is what becomes visible together.
type Publication struct {
	// Index is the image.
	Index v1.ImageIndex
	// Referrers are manifests with a subject: SBOM, provenance, signatures.
	Referrers []v1.Image
	// Evidence are manifests that older tools look for under a tag, such as
	// sha256-<hex>.sig.
	Evidence map[string]v1.Image
	// Moving tags name Index from now on. Immutable tags must be free or name
	// it already.
	Moving, Immutable []string
}

// Push publishes p as repo ("HOST/NAME") and returns the index's digest. What
// is there already is not sent. Nothing has a tag before everything has
// arrived and was looked at, so a failure leaves all tags as they were, and
// pushing again finishes the work. Errors are *Error; it wraps an
// *ImmutableError when an immutable tag names something else.
func (c *Client) Push(ctx context.Context, repo string, p Publication) (v1.Hash, error) {
	r, err := name.NewRepository(repo, c.nameOptions()...)
	if err != nil {
		return v1.Hash{}, wrap("pushing", repo, err)
	}
	digest, err := p.Index.Digest()
	if err != nil {
		return v1.Hash{}, wrap("pushing", repo, err)
	}
	s, err := c.session(ctx, r)
	if err != nil {
		return v1.Hash{}, wrap("pushing", repo, err)
	}
	for _, step := range []func(context.Context, Publication) error{s.checkImmutable, s.upload, s.attach, s.readBack, s.checkImmutable, s.tag} {
		if err := step(ctx, p); err != nil {
			return v1.Hash{}, wrap("pushing", repo, err)
		}
	}
	return digest, nil
}

// session is the work on one repository. The library's pusher and puller keep
// its tokens.
type session struct {
	client *Client
	repo   name.Repository
	pusher *remote.Pusher
	puller *remote.Puller
}

func (c *Client) session(ctx context.Context, repo name.Repository) (*session, error) {
	options := c.remoteOptions(ctx)
	pusher, err := remote.NewPusher(options...)
	if err != nil {
		return nil, err
	}
	puller, err := remote.NewPuller(options...)
	if err != nil {
		return nil, err
	}
	return &session{c, repo, pusher, puller}, nil
}

func (s *session) at(h v1.Hash) name.Digest { return s.repo.Digest(h.String()) }

// checkImmutable is made before anything is sent, and once more before tags
// move: two builds may race.
func (s *session) checkImmutable(ctx context.Context, p Publication) error {
	want, err := p.Index.Digest()
	if err != nil {
		return err
	}
	for _, tag := range p.Immutable {
		d, err := s.puller.Head(ctx, s.repo.Tag(tag))
		switch {
		case isNotFound(err):
		case err != nil:
			return fmt.Errorf("tag %s: %w", tag, err)
		case d.Digest != want:
			return &ImmutableError{Tag: tag, Got: d.Digest, Want: want}
		}
	}
	return nil
}

// isNotFound also takes 401 and 403 for a repository that is not there yet:
// Docker Hub and ghcr.io answer a question about one in this way. A push that
// may not be made fails a moment later.
func isNotFound(err error) bool {
	var status *transport.Error
	if !errors.As(err, &status) {
		return false
	}
	return slices.Contains([]int{http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden}, status.StatusCode)
}

// upload sends blobs, then manifests, then the index, all by digest.
func (s *session) upload(ctx context.Context, p Publication) error {
	digest, err := p.Index.Digest()
	if err != nil {
		return err
	}
	return s.pusher.Push(ctx, s.at(digest), p.Index)
}

// attach sends the evidence. Referrers go one after the other: where the
// registry lacks the API they share one fallback tag.
func (s *session) attach(ctx context.Context, p Publication) error {
	for _, img := range p.Referrers {
		digest, err := img.Digest()
		if err != nil {
			return err
		}
		if err := s.pusher.Push(ctx, s.at(digest), img); err != nil {
			return fmt.Errorf("referrer %s: %w", digest, err)
		}
		if err := s.list(ctx, img); err != nil {
			return fmt.Errorf("referrer %s: %w", digest, err)
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(p.Evidence)) {
		if err := s.pusher.Push(ctx, s.repo.Tag(tag), p.Evidence[tag]); err != nil {
			return fmt.Errorf("tag %s: %w", tag, err)
		}
	}
	return nil
}

// list makes sure that the registry lists img with its subject. A push that
// was interrupted between a manifest and its fallback tag leaves one that is
// there and not listed; putting it again repairs that.
func (s *session) list(ctx context.Context, img v1.Image) error {
	for attempt := 0; ; attempt++ {
		listed, err := s.isListed(ctx, img)
		if err != nil || listed {
			return err
		}
		if attempt > 0 {
			return errors.New("the registry took it and does not list it")
		}
		digest, err := img.Digest()
		if err != nil {
			return err
		}
		if err := s.pusher.Put(ctx, s.at(digest), img); err != nil {
			return err
		}
	}
}

func (s *session) isListed(ctx context.Context, img v1.Image) (bool, error) {
	m, err := img.Manifest()
	if err != nil {
		return false, err
	}
	if m.Subject == nil {
		return false, errors.New("it has no subject")
	}
	digest, err := img.Digest()
	if err != nil {
		return false, err
	}
	all, err := s.referrers(ctx, m.Subject.Digest)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(all, func(d v1.Descriptor) bool { return d.Digest == digest }), nil
}

// tag moves the tags, those that never move again first.
func (s *session) tag(ctx context.Context, p Publication) error {
	for _, tag := range slices.Concat(p.Immutable, p.Moving) {
		if err := s.pusher.Push(ctx, s.repo.Tag(tag), p.Index); err != nil {
			return fmt.Errorf("tag %s: %w", tag, err)
		}
	}
	return nil
}
