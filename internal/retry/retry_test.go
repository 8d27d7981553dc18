package retry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"
)

func TestSleep(t *testing.T) {
	if err := Sleep(t.Context(), time.Millisecond); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("Sleep() with a context that has ended = %v", err)
	}
}

func TestJitter(t *testing.T) {
	const d = time.Second
	for range 1000 {
		if got := Jitter(d); got < d || got > d+d/5 {
			t.Fatalf("Jitter(%v) = %v", d, got)
		}
	}
	if got := Jitter(0); got != 0 {
		t.Errorf("Jitter(0) = %v", got)
	}
}

func TestAfter(t *testing.T) {
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		value string
		want  time.Duration
	}{
		{"", 0},
		{"7", 7 * time.Second},
		{"86400", time.Hour},
		{"-7", 0},
		{"7.5", 0},
		{"99999999999999999999", 0},
		{"soon", 0},
		{"Sat, 01 Aug 2026 12:00:30 GMT", 30 * time.Second},
		{"Saturday, 01-Aug-26 12:00:30 GMT", 30 * time.Second},
		{"Sat Aug  1 12:00:30 2026", 30 * time.Second},
		{"Sat, 01 Aug 2026 11:59:59 GMT", 0},
		{"Sun, 02 Aug 2026 12:00:00 GMT", time.Hour},
	} {
		if got := After(http.Header{"Retry-After": {tc.value}}, now); got != tc.want {
			t.Errorf("After(%q) = %v, want %v", tc.value, got, tc.want)
		}
	}
	if got := After(nil, now); got != 0 {
		t.Errorf("After(nil) = %v", got)
	}
}

func TestTemporary(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want bool
	}{
		{&net.DNSError{IsNotFound: true}, false},
		{&net.DNSError{IsTemporary: true}, true},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
		{fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), true},
		{context.DeadlineExceeded, true},
		{context.Canceled, false},
		{errors.New("x509: certificate signed by unknown authority"), false},
	} {
		if got := Temporary(tc.err); got != tc.want {
			t.Errorf("Temporary(%v) = %v, want %v", tc.err, got, tc.want)
		}
	}
}
