// Package retry is what clients share that ask again.
//
// Its nouns are the pause between two attempts, which ends with its context,
// the jitter that keeps clients out of step, the failure that waiting may
// mend. How often a client asks, how long it waits at most, which answers of a
// server count as failures: that is the client's own.
package retry

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
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

// Temporary tells whether a failure of the network is one that another attempt
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
