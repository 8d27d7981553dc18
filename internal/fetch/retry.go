package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"time"
)

const (
	firstDelay = 500 * time.Millisecond
	maxDelay   = 15 * time.Second
	// maxRetryAfter bounds what a server may ask for.
	maxRetryAfter = time.Minute
)

// transientError is a failure that another attempt may not meet.
type transientError struct {
	err   error
	after time.Duration // what the server asks to wait, or 0
}

func (e *transientError) Error() string { return e.err.Error() }
func (e *transientError) Unwrap() error { return e.err }

// retry calls attempt until it succeeds, fails for good, or has been called
// often enough.
func (f *Fetcher) retry(ctx context.Context, at location, attempt func() error) error {
	for n := 1; ; n++ {
		err := attempt()
		var transient *transientError
		if err == nil || !errors.As(err, &transient) {
			return err
		}
		if n == f.o.Attempts {
			return fmt.Errorf("%w (attempt %d of %d)", transient.err, n, f.o.Attempts)
		}
		wait := max(delay(n), min(transient.after, maxRetryAfter))
		f.o.Log.InfoContext(ctx, "trying again", "url", at.String(), "attempt", n+1, "wait", wait, "error", err)
		if err := f.o.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// delay returns how long to wait after the nth attempt: twice as long each time,
// of which a random half keeps many clients from coming back at once.
func delay(n int) time.Duration {
	d := maxDelay
	if n < 10 {
		d = min(d, firstDelay<<(n-1))
	}
	return d/2 + rand.N(d/2) //nolint:gosec // no secret depends on it
}

// isPermanent reports whether a failed request would only fail again.
func isPermanent(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	var refused *refusedRedirectError
	switch {
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &refused):
		return true
	case errors.As(err, &dns):
		return dns.IsNotFound
	}
	return errors.Is(err, errProxy)
}

// bare strips what net/http says around an error: it repeats the URL, with its
// user name and query.
func bare(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
