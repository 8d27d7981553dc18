package sign

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/redact"
	"github.com/pgext/pgext/internal/retry"
)

const (
	// attempts limits how often a request is made; attemptsRefused applies to a
	// host that refuses connections.
	attempts        = 5
	attemptsRefused = 2
	// attemptTimeout limits one attempt, maxPause the wait before the next.
	attemptTimeout = 30 * time.Second
	maxPause       = 30 * time.Second
	// maxResponse limits a response body, in bytes; log entries are the largest.
	maxResponse = 16 << 20
)

// service is an HTTP service: Fulcio, Rekor, a timestamp authority or a token
// service.
type service struct {
	name string
	// url has no trailing slash; redacted is url for messages.
	url, redacted string
	client        *http.Client
	// pause is the wait before the second attempt; it doubles.
	pause time.Duration
}

// service returns the service at address, which must be an http or https URL.
func (o Options) service(name, address string) (*service, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, failure.New(failure.Other, "", "%s: its address is not an http or https URL", name)
	}
	return &service{name: name, url: strings.TrimRight(address, "/"), redacted: redact.URL(u), client: o.HTTPClient, pause: o.Backoff}, nil
}

// response is an HTTP response whose body has been read.
type response struct {
	status int
	header http.Header
	body   []byte
}

// get requests path.
func (s *service) get(ctx context.Context, path string, header map[string]string, secrets ...string) (response, error) {
	req, err := s.newRequest(ctx, http.MethodGet, path, nil, header)
	if err != nil {
		return response{}, err
	}
	return s.do(req, secrets, http.StatusOK)
}

// post sends body to path. Responses with a status in expect are no errors.
func (s *service) post(ctx context.Context, path, contentType string, body []byte, expect ...int) (response, error) {
	req, err := s.newRequest(ctx, http.MethodPost, path, body, map[string]string{"Content-Type": contentType})
	if err != nil {
		return response{}, err
	}
	return s.do(req, nil, expect...)
}

func (s *service) newRequest(ctx context.Context, method, path string, body []byte, header map[string]string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, s.fail("making a request: %w", err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	return req, nil
}

// do sends req, again after a temporary failure, and returns a response with a
// status in expect. secrets are removed from error texts.
func (s *service) do(req *http.Request, secrets []string, expect ...int) (response, error) {
	ctx, pause := req.Context(), s.pause
	for attempt := 1; ; attempt++ {
		r, err := s.once(req)
		if err == nil && slices.Contains(expect, r.status) {
			return r, nil
		}
		limit := attempts
		if errors.Is(err, syscall.ECONNREFUSED) {
			limit = attemptsRefused
		}
		if attempt >= limit || ctx.Err() != nil || !temporary(r.status, err) {
			return response{}, s.requestError(secrets, r, cmp.Or(ctx.Err(), err))
		}
		if err := retry.Sleep(ctx, min(maxPause, max(retry.Jitter(pause), retry.After(r.header, time.Now())))); err != nil {
			return response{}, s.requestError(secrets, r, err)
		}
		pause *= 2
	}
}

func (s *service) once(req *http.Request) (response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), attemptTimeout)
	defer cancel()
	req = req.Clone(ctx)
	if req.GetBody != nil {
		var err error
		if req.Body, err = req.GetBody(); err != nil {
			return response{}, err
		}
	}
	req.Header.Set("User-Agent", "pgext")
	resp, err := s.client.Do(req) //nolint:gosec // the user configures the services
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err == nil && len(body) > maxResponse {
		err = fmt.Errorf("the response has more than %d bytes", maxResponse)
	}
	return response{resp.StatusCode, resp.Header, body}, err
}

// requestError returns the error of a failed request.
func (s *service) requestError(secrets []string, r response, err error) error {
	var request *url.Error
	switch {
	case errors.As(err, &request):
		return s.serviceError(r.status, request.Err.Error(), err, secrets...)
	case err != nil:
		return s.serviceError(r.status, err.Error(), err, secrets...)
	}
	return s.serviceError(r.status, string(r.body), nil, secrets...)
}

// fail returns an error about a response that cannot be used.
func (s *service) fail(format string, args ...any) error {
	return s.requestError(nil, response{}, fmt.Errorf(format, args...))
}

// failure converts an error of sigstore-go's clients. It returns the error of the
// request if the request failed, or else an error about the response.
func (s *service) failure(what string, err error) error {
	var failed *failure.Error
	if errors.As(err, &failed) {
		return failed
	}
	return s.fail("%s: %w", what, err)
}

// temporary reports whether another attempt may succeed.
func temporary(status int, err error) bool {
	if err == nil {
		return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= http.StatusInternalServerError
	}
	return retry.Temporary(err)
}

// transport sends the requests of sigstore-go's clients through a service, which
// retries them, limits the response and redacts errors. Its clients pass no
// context on, so ctx does.
type transport struct {
	ctx     context.Context //nolint:containedctx // the lifetime is one call of a client
	service *service
	secrets []string
	// last is the last response.
	last response
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	r, err := t.service.do(req.WithContext(t.ctx), t.secrets, http.StatusOK, http.StatusCreated)
	if err != nil {
		return nil, err
	}
	t.last = r
	return &http.Response{StatusCode: http.StatusOK, Header: r.header, Body: io.NopCloser(bytes.NewReader(r.body)), Request: req}, nil
}
