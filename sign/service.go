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

	"github.com/pgext/pgext/internal/redact"
	"github.com/pgext/pgext/internal/retry"
)

const (
	// attempts is how often a request is made; a host that refuses
	// connections is asked twice.
	attempts        = 5
	attemptsRefused = 2
	// attemptTimeout bounds one attempt, maxPause the wait before the next.
	attemptTimeout = 30 * time.Second
	maxPause       = 30 * time.Second
	// maxAnswer bounds what a service may say, in bytes: an entry of a log is
	// the largest.
	maxAnswer = 16 << 20
)

// service is a part of sigstore that is asked over HTTP.
type service struct {
	name string
	// url is the address; shown is what messages say of it.
	url, shown string
	client     *http.Client
	// pause is the wait before the second attempt; it doubles.
	pause time.Duration
}

// service returns the one at address, which must be a URL.
func (o Options) service(name, address string) (*service, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, &ServiceError{Service: name, Reason: "its address is no http or https URL"}
	}
	return &service{name: name, url: address, shown: redact.URL(u), client: o.HTTPClient, pause: o.Backoff}, nil
}

// call is one request. It may be made several times.
type call struct {
	method, path string
	// header holds Authorization too.
	header map[string]string
	body   []byte
	// secrets are removed from what an error repeats.
	secrets []string
	// expect are the answers that are no errors.
	expect []int
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes c until there is an answer that waiting does not change. Errors
// are *ServiceError.
func (s *service) do(ctx context.Context, c call) (answer, error) {
	pause := s.pause
	for attempt := 1; ; attempt++ {
		a, err := s.once(ctx, c)
		if err == nil && slices.Contains(c.expect, a.status) {
			return a, nil
		}
		limit := attempts
		if errors.Is(err, syscall.ECONNREFUSED) {
			limit = attemptsRefused
		}
		if attempt >= limit || ctx.Err() != nil || !passes(a.status, err) {
			return answer{}, s.refuse(c, a, cmp.Or(ctx.Err(), err))
		}
		if err := retry.Sleep(ctx, min(maxPause, max(retry.Jitter(pause), retry.After(a.header, time.Now())))); err != nil {
			return answer{}, s.refuse(c, a, err)
		}
		pause *= 2
	}
}

func (s *service) once(ctx context.Context, c call) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	address := s.url
	if c.path != "" {
		address = strings.TrimRight(address, "/") + c.path
	}
	req, err := http.NewRequestWithContext(ctx, c.method, address, bytes.NewReader(c.body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("User-Agent", "pgext")
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	return answer{resp.StatusCode, resp.Header, body}, err
}

// refuse turns what did not work into an error without secrets.
func (s *service) refuse(c call, a answer, err error) error {
	failure := &ServiceError{Service: s.name, URL: s.shown, Status: a.status, cause: err}
	var request *url.Error
	switch {
	case errors.As(err, &request):
		failure.Reason = clip(scrub(request.Err.Error(), c.secrets...))
	case err != nil:
		failure.Reason = clip(scrub(err.Error(), c.secrets...))
	default:
		failure.Reason = clip(scrub(string(a.body), c.secrets...))
	}
	return failure
}

// fail is refuse for an answer that came and cannot be used.
func (s *service) fail(format string, args ...any) error {
	return s.refuse(call{}, answer{}, fmt.Errorf(format, args...))
}

// passes tells whether asking again may help.
func passes(status int, err error) bool {
	if err == nil {
		return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= http.StatusInternalServerError
	}
	return retry.Temporary(err)
}
