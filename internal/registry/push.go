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
)

// Publication is what becomes visible together.
type Publication struct {
	// Index is the image, or Image when no index has it.
	Index v1.ImageIndex
	Image v1.Image
	// Referrers are manifests with a subject: SBOM, provenance, signatures.
	Referrers []v1.Image
	// Indexes are referrers that are indexes themselves.
	Indexes []v1.ImageIndex
	// Evidence are manifests that older tools look for under a tag, such as
	// sha256-<hex>.sig.
	Evidence map[string]Evidence
	// Moving tags name the image from now on. Immutable tags must be free or
	// name it already.
	Moving, Immutable []string
}

// Evidence returns what a tag shall name, given what it names: nil where it
// is not there yet. Returning what was given changes nothing. It is called
// again when another publisher changed the tag, or to see that it did not.
type Evidence func(existing v1.Image) (v1.Image, error)

// Push publishes p as repo ("HOST/NAME") and returns the image's digest. What
// is there already is not sent. Nothing has a tag before everything has
// arrived and was looked at, so a failure leaves all tags as they were, and
// pushing again finishes the work. Errors are *Error; it wraps an
// *ImmutableError when an immutable tag names something else, a *DroppedError
// when the registry takes referrers and forgets them.
func (c *Client) Push(ctx context.Context, repo string, p Publication) (v1.Hash, error) {
	digest, err := c.push(ctx, repo, p)
	return digest, wrap("pushing", repo, err)
}

// Check fails as Push does before it sends anything: for want of rights, or
// because an immutable tag names something else. It is for what had better not
// be done in vain, such as an entry in a public log.
func (c *Client) Check(ctx context.Context, repo string, p Publication) error {
	_, err := c.begin(ctx, repo, p)
	return wrap("pushing", repo, err)
}

// begin returns a transaction that may go on.
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
	// image are the manifests of the image, what lists others behind these.
	image     []manifest
	referrers []manifest
	evidence  []manifest // as the tags had it when they were last looked at
	// sent are blobs that the registry has, or is given right now.
	sent onces
}

func newTransaction(s *session, p Publication) (*transaction, error) {
	t := &transaction{session: s, p: p}
	var err error
	switch {
	case p.Index != nil:
		t.image, err = manifestsOf(nil, []v1.ImageIndex{p.Index})
	case p.Image != nil:
		t.image, err = manifestsOf([]v1.Image{p.Image}, nil)
	default:
		err = errors.New("there is no image to push")
	}
	if err != nil {
		return nil, err
	}
	if t.referrers, err = manifestsOf(p.Referrers, p.Indexes); err != nil {
		return nil, err
	}
	for _, img := range p.Referrers {
		if m, err := newManifest(img); err != nil || m.subject == nil {
			return nil, errors.Join(err, fmt.Errorf("referrer %s has no subject", m.digest))
		}
	}
	return t, nil
}

// top is the manifest that tags name.
func (t *transaction) top() manifest { return t.image[len(t.image)-1] }

// deliver brings everything there and looks at it. A manifest that is there is
// taken for a sign that what it names is there too, as registries promise; where
// that turns out to be wrong everything is offered once more.
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
		t.client.o.Log.Warn("the registry lost something", "repository", t.repo.Name(), "error", err)
		t.sent = onces{}
	}
	return nil
}

// attach sends the referrers, lists them, and brings the evidence under its
// tags.
func (t *transaction) attach(ctx context.Context, thorough bool) error {
	if err := t.send(ctx, t.referrers, thorough); err != nil {
		return fmt.Errorf("referrer %w", err)
	}
	if err := t.updateEvidence(ctx, thorough); err != nil {
		return err
	}
	return t.listAll(ctx)
}

// listAll makes sure that every referrer is listed with its subject.
func (t *transaction) listAll(ctx context.Context) error {
	subjects := map[v1.Hash][]manifest{}
	for _, m := range slices.Concat(t.referrers, t.evidence) {
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

// tag moves the tags, those that never move again first.
func (t *transaction) tag(ctx context.Context) error {
	for _, tag := range slices.Concat(t.p.Immutable, t.p.Moving) {
		digest, ok, err := t.names(ctx, tag)
		if err == nil && (!ok || digest != t.top().digest) {
			err = t.put(ctx, tag, t.top().stored, "")
			if ok && keepsTags(err) {
				err = &FixedError{Tag: tag, Err: err}
			}
		}
		if err != nil {
			return fmt.Errorf("tag %s: %w", tag, err)
		}
	}
	return nil
}

// checkImmutable is made before anything is sent, and once more before tags
// move: two builds may race. free tells which errors mean that there is no tag.
func (t *transaction) checkImmutable(ctx context.Context, free func(error) bool) error {
	for _, tag := range t.p.Immutable {
		digest, ok, err := t.names(ctx, tag)
		switch {
		case err != nil && !free(err):
			return fmt.Errorf("tag %s: %w", tag, err)
		case ok && digest != t.top().digest:
			return &ImmutableError{Tag: tag, Got: digest, Want: t.top().digest}
		}
	}
	return nil
}

// absent takes no error for an answer: 404 is none.
func absent(error) bool { return false }

// absentOrHidden takes 401 and 403 for a repository that is not there yet:
// Docker Hub and ghcr.io answer a question about one in this way. A push that
// may not be made fails a moment later. Once something was pushed, only 404
// says that a tag is free.
func absentOrHidden(err error) bool {
	return hasStatus(err, http.StatusUnauthorized, http.StatusForbidden)
}

// Absent tells that a registry has no such image, as an error of Collect or
// Resolve says it; a repository that is not there yet may answer as if it were
// somebody else's.
func Absent(err error) bool {
	var missing *NotFoundError
	return errors.As(err, &missing) || absentOrHidden(err)
}
