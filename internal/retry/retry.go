package retry

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// Sleep waits for d, or until ctx ends; then its error is returned.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Jitter returns d or up to a fifth more: it keeps many clients from asking in
// step.
func Jitter(d time.Duration) time.Duration {
	return d + time.Duration(rand.Int64N(int64(d)/5+1)) //nolint:gosec // nobody gains by guessing it
}

// maxAfter bounds what After returns; clients wait less.
const maxAfter = time.Hour

// After returns the pause that an answer asks for with its Retry-After, in
// seconds or as a date that is compared with now (RFC 9110 section 10.2.3); 0
// when it asks for none, or for one that has passed.
func After(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxAfter)
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(0, date.Sub(now)), maxAfter)
	}
	return 0
}

// Temporary reports whether a failure of the network is one that another attempt
// may not meet. The timeouts of package net say that they are
// context.DeadlineExceeded; whether it was the context that ended is for
// callers to see.
func Temporary(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsTemporary || dns.IsTimeout
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return true
	}
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.EPIPE, syscall.ECONNRESET, syscall.ECONNREFUSED, net.ErrClosed} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
