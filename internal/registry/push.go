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
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/oci"
)

// Publication is an image with its attachments and tags, published together.
type Publication struct {
	// Set has an image. The layers of its legacy images are merged into those
	// that their tags name in the registry.
	oci.Set
	// Moving tags name the image from now on. Immutable tags must not exist
	// unless they name it already.
	Moving, Immutable []string
}

// Push publishes p in the repository repo, HOST/NAME, and returns the digest of
// the image. Existing blobs and manifests are not sent. Tags are set after
// everything was sent and read back, so a failure leaves all tags as they were, and
// another push continues. It fails if an immutable tag names another image, or if
// the registry does not list the referrers that it accepted. Errors are *Error.
func (c *Client) Push(ctx context.Context, repo string, p Publication) (v1.Hash, error) {
	digest, err := c.push(ctx, repo, p)
	return digest, wrap("pushing", repo, err)
}

// Check makes the checks that Push makes before it sends anything: permissions and
// immutable tags. Call it before an action that cannot be undone, such as an entry
// in a transparency log.
func (c *Client) Check(ctx context.Context, repo string, p Publication) error {
	_, err := c.begin(ctx, repo, p)
	return wrap("pushing", repo, err)
}

// begin returns a transaction whose checks succeeded.
func (c *Client) begin(ctx context.Context, repo string, p Publication) (*transaction, error) {
	r, err := name.NewRepository(repo, name.StrictValidation)
	if err != nil {
		return nil, err
	}
	s, err := c.session(ctx, r, transport.PushScope)
	if err != nil {
		return nil, err
	}
	t, err := newTransaction(s, p)
	if err != nil {
		return nil, err
	}
	return t, t.checkImmutable(ctx, absentOrHidden)
}

func (c *Client) push(ctx context.Context, repo string, p Publication) (v1.Hash, error) {
	t, err := c.begin(ctx, repo, p)
	if err != nil {
		return v1.Hash{}, err
	}
	if err := t.deliver(ctx); err != nil {
		return v1.Hash{}, err
	}
	if err := t.checkImmutable(ctx, absent); err != nil {
		return v1.Hash{}, err
	}
	return t.top().digest, t.tag(ctx)
}

// transaction is one Push.
type transaction struct {
	*session
	p Publication
	// image are the manifests of the image in topological order.
	image     []manifest
	referrers []manifest
	legacy    []manifest // of the legacy tags when they were last read
	// sent are the blobs that were sent or are being sent.
	sent onces
}

func newTransaction(s *session, p Publication) (*transaction, error) {
	t := &transaction{session: s, p: p}
	var err error
	switch {
	case p.Index != nil:
		t.image, err = manifestsOf(nil, []v1.ImageIndex{p.Index})
	case len(p.Images) == 1:
		t.image, err = manifestsOf(p.Images, nil)
	default:
		err = errors.New("no image to push")
	}
	if err != nil {
		return nil, err
	}
	if t.referrers, err = manifestsOf(p.Referrers, p.ReferrerIndexes); err != nil {
		return nil, err
	}
	for _, img := range p.Referrers {
		if m, err := newManifest(img); err != nil || m.subject == nil {
			return nil, errors.Join(err, fmt.Errorf("referrer %s has no subject", m.digest))
		}
	}
	return t, nil
}

// top returns the manifest that tags name.
func (t *transaction) top() manifest { return t.image[len(t.image)-1] }

// deliver sends everything and reads it back. If the registry has a manifest, it
// should have the blobs that the manifest lists. If reading back shows that it does
// not, everything is sent once more.
func (t *transaction) deliver(ctx context.Context) error {
	for _, thorough := range []bool{false, true} {
		if err := t.send(ctx, t.image, thorough); err != nil {
			return err
		}
		if err := t.attach(ctx, thorough); err != nil {
			return err
		}
		err := t.readBack(ctx)
		var incomplete *incompleteError
		if err == nil || thorough || !errors.As(err, &incomplete) {
			return err
		}
		t.client.o.Log.Warn("content is missing in the registry, sending all of it again", "repository", t.repo.Name(), "error", err)
		t.sent = onces{}
	}
	return nil
}

// attach sends the referrers, updates the legacy tags, and ensures that all
// referrers are listed.
func (t *transaction) attach(ctx context.Context, thorough bool) error {
	if err := t.send(ctx, t.referrers, thorough); err != nil {
		return fmt.Errorf("referrer %w", err)
	}
	if err := t.updateLegacy(ctx, thorough); err != nil {
		return err
	}
	return t.listAll(ctx)
}

// listAll ensures that every referrer is listed for its subject.
func (t *transaction) listAll(ctx context.Context) error {
	subjects := map[v1.Hash][]manifest{}
	for _, m := range slices.Concat(t.referrers, t.legacy) {
		if m.subject != nil {
			subjects[*m.subject] = append(subjects[*m.subject], m)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(t.client.o.Jobs)
	for _, subject := range slices.SortedFunc(maps.Keys(subjects), compareHashes) {
		g.Go(func() error { return t.list(ctx, subject, subjects[subject]) })
	}
	return g.Wait()
}

// tag sets the tags, immutable ones first.
func (t *transaction) tag(ctx context.Context) error {
	for _, tag := range slices.Concat(t.p.Immutable, t.p.Moving) {
		digest, ok, err := t.names(ctx, tag)
		if err == nil && (!ok || digest != t.top().digest) {
			err = t.put(ctx, tag, t.top().stored, "")
			if ok && keepsTags(err) {
				err = fixedError(tag, err)
			}
		}
		if err != nil {
			return fmt.Errorf("tag %s: %w", tag, err)
		}
	}
	return nil
}

// checkImmutable returns an error if an immutable tag names another image. It runs
// before anything is sent and again before tags are set, because two builds may
// race. free reports whether an error means that the tag does not exist.
func (t *transaction) checkImmutable(ctx context.Context, free func(error) bool) error {
	for _, tag := range t.p.Immutable {
		digest, ok, err := t.names(ctx, tag)
		switch {
		case err != nil && !free(err):
			return fmt.Errorf("tag %s: %w", tag, err)
		case ok && digest != t.top().digest:
			return immutableError(tag, digest, t.top().digest)
		}
	}
	return nil
}

// absent is for checkImmutable: no error means absence, 404 is not an error.
func absent(error) bool { return false }

// absentOrHidden reports whether err is 401 or 403, the response of Docker Hub and
// ghcr.io for a repository that does not exist yet. If the account lacks the
// permission, the push fails a moment later. After something was pushed, only 404
// means that a tag does not exist.
func absentOrHidden(err error) bool {
	return hasStatus(err, http.StatusUnauthorized, http.StatusForbidden)
}

// Absent reports whether an error of Collect or Resolve means that the image does
// not exist. Registries respond with 401 or 403 for a repository that does not
// exist yet.
func Absent(err error) bool {
	var missing *NotFoundError
	return errors.As(err, &missing) || absentOrHidden(err)
}
