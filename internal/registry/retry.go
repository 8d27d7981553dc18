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

// attemptsRefused is the number of attempts to connect to a host that refuses
// connections.
const attemptsRefused = 2

// maxWait bounds the pause between two attempts.
const maxWait = 30 * time.Second

// temporaryStatus are the status codes of errors that may pass; 499 is of nginx,
// 522 of Cloudflare.
var temporaryStatus = []int{
	http.StatusRequestTimeout, http.StatusTooManyRequests,
	http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	499, 522,
}

// retrying is a transport that repeats requests after errors that may pass, and
// bounds the number of concurrent requests. A body is sent again from its start. A
// PATCH is not repeated, because the server may have received a part.
type retrying struct {
	o    Options
	next http.RoundTripper
	free chan struct{}
	// public is true if requests have no secrets: their tokens are those of
	// anonymous access.
	public bool
}

func newRetrying(o Options) *retrying {
	return &retrying{o: o, next: o.Transport, free: make(chan struct{}, o.Jobs)}
}

// with returns t for requests with the credentials auth.
func (t *retrying) with(auth authn.Authenticator) *retrying {
	mine := *t
	mine.public = auth == authn.Anonymous
	return &mine
}

// RoundTrip implements http.RoundTripper. After a 401 it restores the body, because
// the library sends the request again with a token.
func (t *retrying) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.public && exposesSecret(req) {
		return nil, plainError(req.URL.Host)
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
		if attempt >= t.attempts(err) || !repeatable(req) || !temporary(resp, err) || req.Context().Err() != nil {
			return resp, err
		}
		var requested time.Duration
		status := 0
		if resp != nil {
			requested, status = retry.After(resp.Header, time.Now()), resp.StatusCode
			_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
			_ = resp.Body.Close()
		}
		pause := min(maxWait, max(retry.Jitter(wait), requested))
		t.o.Log.Warn("retrying", "method", req.Method, "url", redact.Text(req.URL.String()), "status", status, "error", err, "in", pause)
		if err := retry.Sleep(req.Context(), pause); err != nil {
			return nil, err
		}
		wait *= 2
		if req, err = rewind(req); err != nil {
			return nil, err
		}
	}
}

// attempts returns the number of attempts of a request that failed with err. If no
// server listens, waiting rarely helps.
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

func temporary(resp *http.Response, err error) bool {
	if err != nil {
		return isTemporary(err)
	}
	return slices.Contains(temporaryStatus, resp.StatusCode)
}

// isTemporary reports whether another attempt may succeed.
func isTemporary(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	var status *transport.Error
	if errors.As(err, &status) {
		return slices.Contains(temporaryStatus, status.StatusCode)
	}
	var protocol textproto.ProtocolError // a truncated header
	if errors.As(err, &protocol) {
		return true
	}
	return retry.Temporary(err)
}

// isUpload reports whether err is from the upload of a blob's bytes.
func isUpload(err error) bool {
	var status *transport.Error
	if errors.As(err, &status) {
		return status.Request != nil && status.Request.Method == http.MethodPatch
	}
	var request *url.Error
	return errors.As(err, &request) && request.Op == "Patch"
}

// Trouble reports whether err is an error of the network or of a registry, not of
// the image that was read.
func Trouble(err error) bool {
	var response *transport.Error
	var network net.Error
	var file *fs.PathError // its cause has the methods of net.Error
	if errors.As(err, &file) {
		return false
	}
	return errors.As(err, &response) || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF)
}
