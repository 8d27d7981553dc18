package registry

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/pgext/pgext/internal/redact"
	"github.com/pgext/pgext/internal/retry"
)

// attemptsRefused is how often a host is asked that refuses connections.
const attemptsRefused = 2

// maxWait bounds the wait between two attempts.
const maxWait = 30 * time.Second

// temporaryStatus are the answers that registries and their proxies give when
// asking again helps; 499 and 522 are nginx' and Cloudflare's.
var temporaryStatus = []int{
	http.StatusRequestTimeout, http.StatusTooManyRequests,
	http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	499, 522,
}

// retrying repeats requests that failed for a reason that passes, and bounds
// how many run at once. A body is sent again from its start; a PATCH is not
// repeated, as half of it may have arrived.
type retrying struct {
	o    Options
	next http.RoundTripper
	free chan struct{}
	// public tells that requests hold no secret: tokens are those that
	// everybody gets.
	public bool
}

func newRetrying(o Options) *retrying {
	return &retrying{o: o, next: o.Transport, free: make(chan struct{}, o.Jobs)}
}

// with returns t for requests on behalf of auth.
func (t *retrying) with(auth authn.Authenticator) *retrying {
	mine := *t
	mine.public = auth == authn.Anonymous
	return &mine
}

// RoundTrip implements http.RoundTripper. A request that is answered with 401
// has its body again: the library sends the same one once more, with a token.
func (t *retrying) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.public && tellsAll(req) {
		return nil, &PlainError{Host: req.URL.Host}
	}
	resp, err := t.repeat(req)
	if err == nil && resp.StatusCode == http.StatusUnauthorized && req.GetBody != nil {
		req.Body = &lateBody{open: req.GetBody}
	}
	return resp, err
}

func (t *retrying) repeat(req *http.Request) (*http.Response, error) {
	wait := t.o.Backoff
	for attempt := 1; ; attempt++ {
		resp, err := t.once(req)
		if attempt >= t.attempts(err) || !repeatable(req) || !passes(resp, err) || req.Context().Err() != nil {
			return resp, err
		}
		var asked time.Duration
		status := 0
		if resp != nil {
			asked, status = retry.After(resp.Header, time.Now()), resp.StatusCode
			_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
			_ = resp.Body.Close()
		}
		pause := min(maxWait, max(retry.Jitter(wait), asked))
		t.o.Log.Warn("trying again", "method", req.Method, "url", redact.Text(req.URL.String()), "status", status, "error", err, "in", pause)
		if err := retry.Sleep(req.Context(), pause); err != nil {
			return nil, err
		}
		wait *= 2
		if req, err = rewind(req); err != nil {
			return nil, err
		}
	}
}

// attempts is how often a request is made that ended with err. Where nobody
// listens, waiting seldom helps.
func (t *retrying) attempts(err error) int {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return min(t.o.Attempts, attemptsRefused)
	}
	return t.o.Attempts
}

func (t *retrying) once(req *http.Request) (*http.Response, error) {
	select {
	case t.free <- struct{}{}:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	defer func() { <-t.free }()
	return t.next.RoundTrip(req)
}

func repeatable(req *http.Request) bool {
	if req.Method == http.MethodPatch {
		return false
	}
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

func rewind(req *http.Request) (*http.Request, error) {
	if req.GetBody == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again := req.Clone(req.Context())
	again.Body = body
	return again, nil
}

func passes(resp *http.Response, err error) bool {
	if err != nil {
		return isTemporary(err)
	}
	return slices.Contains(temporaryStatus, resp.StatusCode)
}

// isTemporary tells whether asking again may help.
func isTemporary(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	var status *transport.Error
	if errors.As(err, &status) {
		return slices.Contains(temporaryStatus, status.StatusCode)
	}
	var protocol textproto.ProtocolError // a header that was cut off
	if errors.As(err, &protocol) {
		return true
	}
	return retry.Temporary(err)
}

// isUpload tells whether err comes from sending a blob's bytes.
func isUpload(err error) bool {
	var status *transport.Error
	if errors.As(err, &status) {
		return status.Request != nil && status.Request.Method == http.MethodPatch
	}
	var request *url.Error
	return errors.As(err, &request) && request.Op == "Patch"
}

// Trouble tells the failures of a network, or of a registry, from those of the
// image that was read from there.
func Trouble(err error) bool {
	var answer *transport.Error
	var trouble net.Error
	var file *fs.PathError // whose cause has the methods of a net.Error
	if errors.As(err, &file) {
		return false
	}
	return errors.As(err, &answer) || errors.As(err, &trouble) || errors.Is(err, io.ErrUnexpectedEOF)
}
