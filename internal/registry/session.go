package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/retry"
)

// session is the work on one repository. Blobs go through the library, which
// knows uploads, mounts and redirects; manifests and lists of referrers are
// asked for here, because the library's way with fallback tags loses what it
// should keep.
type session struct {
	client *Client
	repo   name.Repository
	http   *http.Client
	pusher *remote.Pusher
	puller *remote.Puller
	// spent counts what was opened: see spend.
	spent atomic.Int64
}

// session talks to repo with the rights of scope.
func (c *Client) session(ctx context.Context, repo name.Repository, scope string) (*session, error) {
	auth, err := authn.Resolve(ctx, c.o.Keychain, repo)
	if err != nil {
		return nil, &CredentialsError{err}
	}
	web := c.transport.with(auth)
	options := c.remoteOptions(ctx, web)
	pusher, err := remote.NewPusher(options...)
	if err != nil {
		return nil, err
	}
	puller, err := remote.NewPuller(options...)
	if err != nil {
		return nil, err
	}
	agent := transport.NewUserAgent(web, c.o.UserAgent)
	t, err := transport.NewWithContext(ctx, repo.Registry, auth, agent, []string{repo.Scope(scope)})
	if err != nil {
		return nil, err
	}
	return &session{client: c, repo: repo, http: &http.Client{Transport: t}, pusher: pusher, puller: puller}, nil
}

func (s *session) at(h v1.Hash) name.Digest { return s.repo.Digest(h.String()) }

// question is a request about the repository.
type question struct {
	method string
	// path is below /v2/NAME/; it may have a query.
	path   string
	header http.Header
	body   []byte
	// accept are the status codes that are answers; others are errors.
	accept []int
}

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
	url    *url.URL
}

// ask makes a request, and makes it again when its answer ends too early.
func (s *session) ask(ctx context.Context, q question) (answer, error) {
	wait := s.client.o.Backoff
	for attempt := 1; ; attempt++ {
		a, err := s.askOnce(ctx, q)
		if err == nil || attempt >= s.client.o.Attempts || !errors.Is(err, io.ErrUnexpectedEOF) {
			return a, err
		}
		if err := retry.Sleep(ctx, retry.Jitter(min(wait, maxWait))); err != nil {
			return answer{}, err
		}
		wait *= 2
	}
}

func (s *session) askOnce(ctx context.Context, q question) (answer, error) {
	at, err := url.Parse(fmt.Sprintf("%s://%s/v2/%s/%s", s.repo.Scheme(), s.repo.RegistryStr(), s.repo.RepositoryStr(), q.path))
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, q.method, at.String(), bytes.NewReader(q.body))
	if err != nil {
		return answer{}, err
	}
	if len(q.body) == 0 {
		req.Body, req.GetBody = http.NoBody, nil
	}
	for key, values := range q.header {
		req.Header[key] = values
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	if err := transport.CheckError(resp, q.accept...); err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, header: resp.Header, url: resp.Request.URL}
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxManifest+1)); err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", q.method, q.path, err)
	}
	if len(a.body) > maxManifest {
		return answer{}, fmt.Errorf("%s %s: the answer has more than %d bytes", q.method, q.path, maxManifest)
	}
	return a, nil
}

// manifestTypes are those that we can read.
var manifestTypes = []string{
	string(types.OCIImageIndex), string(types.OCIManifestSchema1),
	string(types.DockerManifestList), string(types.DockerManifestSchema2),
}

// stored is a manifest as the registry has it.
type stored struct {
	digest    v1.Hash
	mediaType types.MediaType
	raw       []byte
	etag      string
}

// read returns the manifest of a tag or digest; false when there is none. What
// has a digest is verified.
func (s *session) read(ctx context.Context, ref string) (stored, bool, error) {
	a, err := s.ask(ctx, question{
		method: http.MethodGet, path: "manifests/" + ref,
		header: http.Header{"Accept": {strings.Join(manifestTypes, ",")}},
		accept: []int{http.StatusOK, http.StatusNotFound},
	})
	if err != nil || a.status == http.StatusNotFound {
		return stored{}, false, err
	}
	digest, _, err := v1.SHA256(bytes.NewReader(a.body))
	if err != nil {
		return stored{}, false, err
	}
	if strings.Contains(ref, ":") && digest.String() != ref {
		return stored{}, false, &incompleteError{"manifest " + ref, "the registry changed it: its content has " + digest.String()}
	}
	mediaType, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	return stored{digest, types.MediaType(mediaType), a.body, a.header.Get("ETag")}, true, nil
}

// names returns the digest that a tag or digest names; false when there is
// none.
func (s *session) names(ctx context.Context, ref string) (v1.Hash, bool, error) {
	a, err := s.ask(ctx, question{
		method: http.MethodHead, path: "manifests/" + ref,
		header: http.Header{"Accept": {strings.Join(manifestTypes, ",")}},
		accept: []int{http.StatusOK, http.StatusNotFound},
	})
	if err != nil || a.status == http.StatusNotFound {
		return v1.Hash{}, false, err
	}
	if digest, err := v1.NewHash(a.header.Get("Docker-Content-Digest")); err == nil {
		return digest, true, nil
	}
	got, ok, err := s.read(ctx, ref) // a registry that does not tell
	return got.digest, ok, err
}

// put makes ref, a tag or the digest itself, name a manifest. With a condition
// the tag must still be what had that ETag, as far as the registry heeds it.
func (s *session) put(ctx context.Context, ref string, m stored, condition string) error {
	header := http.Header{"Content-Type": {string(m.mediaType)}}
	if condition != "" {
		header.Set("If-Match", condition)
	}
	_, err := s.ask(ctx, question{
		method: http.MethodPut, path: "manifests/" + ref, header: header, body: m.raw,
		accept: []int{http.StatusOK, http.StatusCreated, http.StatusAccepted},
	})
	return err
}

// hasStatus tells whether err is an answer with one of these codes.
func hasStatus(err error, codes ...int) bool {
	var status *transport.Error
	if !errors.As(err, &status) {
		return false
	}
	for _, code := range codes {
		if status.StatusCode == code {
			return true
		}
	}
	return false
}
