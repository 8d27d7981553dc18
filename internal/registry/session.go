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

	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/retry"
)

// session is a connection to one repository. Blobs are transferred by the library,
// which handles uploads, mounts and redirects. Manifests and lists of referrers are
// transferred here, because the library drops unknown fields and entries of fallback
// tags.
type session struct {
	client *Client
	repo   name.Repository
	http   *http.Client
	pusher *remote.Pusher
	puller *remote.Puller
	// spent is the size of the manifests that were read: see spend.
	spent atomic.Int64
}

// session connects to repo with the permissions of scope.
func (c *Client) session(ctx context.Context, repo name.Repository, scope string) (*session, error) {
	auth, err := authn.Resolve(ctx, c.o.Keychain, repo)
	if err != nil {
		return nil, credentialsError(err)
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

// request is a request about the repository.
type request struct {
	method string
	// path is relative to /v2/NAME/ and may have a query.
	path   string
	header http.Header
	body   []byte
	// accept are the status codes of success; others are errors.
	accept []int
}

// response is a complete response.
type response struct {
	status int
	header http.Header
	body   []byte
	url    *url.URL
}

// do sends a request, and sends it again if the response is truncated.
func (s *session) do(ctx context.Context, q request) (response, error) {
	wait := s.client.o.Backoff
	for attempt := 1; ; attempt++ {
		a, err := s.doOnce(ctx, q)
		if err == nil || attempt >= s.client.o.Attempts || !errors.Is(err, io.ErrUnexpectedEOF) {
			return a, err
		}
		if err := retry.Sleep(ctx, retry.Jitter(min(wait, maxWait))); err != nil {
			return response{}, err
		}
		wait *= 2
	}
}

func (s *session) doOnce(ctx context.Context, q request) (response, error) {
	at, err := url.Parse(fmt.Sprintf("%s://%s/v2/%s/%s", s.repo.Scheme(), s.repo.RegistryStr(), s.repo.RepositoryStr(), q.path))
	if err != nil {
		return response{}, err
	}
	req, err := http.NewRequestWithContext(ctx, q.method, at.String(), bytes.NewReader(q.body))
	if err != nil {
		return response{}, err
	}
	if len(q.body) == 0 {
		req.Body, req.GetBody = http.NoBody, nil
	}
	for key, values := range q.header {
		req.Header[key] = values
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	if err := transport.CheckError(resp, q.accept...); err != nil {
		return response{}, err
	}
	a := response{status: resp.StatusCode, header: resp.Header, url: resp.Request.URL}
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, oci.MaxManifest+1)); err != nil {
		return response{}, fmt.Errorf("%s %s: %w", q.method, q.path, err)
	}
	if len(a.body) > oci.MaxManifest {
		return response{}, fmt.Errorf("%s %s: the response has more than %d bytes", q.method, q.path, oci.MaxManifest)
	}
	return a, nil
}

// manifestTypes are the media types in the header Accept.
var manifestTypes = []string{
	string(types.OCIImageIndex), string(types.OCIManifestSchema1),
	string(types.DockerManifestList), string(types.DockerManifestSchema2),
}

// stored is a manifest in the registry.
type stored struct {
	digest    v1.Hash
	mediaType types.MediaType
	raw       []byte
	etag      string
}

// read returns the manifest of a tag or digest; false if there is none. If ref is a
// digest, the manifest is verified.
func (s *session) read(ctx context.Context, ref string) (stored, bool, error) {
	a, err := s.do(ctx, request{
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
		return stored{}, false, &incompleteError{"manifest " + ref, "digest mismatch: got " + digest.String() + " from the registry"}
	}
	mediaType, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	return stored{digest, types.MediaType(mediaType), a.body, a.header.Get("ETag")}, true, nil
}

// names returns the digest of the manifest of a tag or digest; false if there is
// none.
func (s *session) names(ctx context.Context, ref string) (v1.Hash, bool, error) {
	a, err := s.do(ctx, request{
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
	got, ok, err := s.read(ctx, ref) // the registry omits the header
	return got.digest, ok, err
}

// put stores a manifest under ref, a tag or its digest. condition is the ETag that
// the tag must have, "" for none; not all registries support it.
func (s *session) put(ctx context.Context, ref string, m stored, condition string) error {
	header := http.Header{"Content-Type": {string(m.mediaType)}}
	if condition != "" {
		header.Set("If-Match", condition)
	}
	_, err := s.do(ctx, request{
		method: http.MethodPut, path: "manifests/" + ref, header: header, body: m.raw,
		accept: []int{http.StatusOK, http.StatusCreated, http.StatusAccepted},
	})
	return err
}

// hasStatus reports whether err is a response with one of these status codes.
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
