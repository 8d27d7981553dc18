package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/pgext/pgext/internal/oci"
)

// secret is a keychain with one password.
type secret struct{}

func (secret) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: "me", Password: "hunter2"}, nil
}

func TestErrors(t *testing.T) {
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Path == "/v2/" {
				w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.WriteHeader(code)
			fmt.Fprint(w, strings.Repeat("a long answer ", 1000))
		})
	}
	redirect := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/v2/" {
			return
		}
		http.Redirect(w, req, "http://me:hunter2@127.0.0.1:1/x?signature=hunter2", http.StatusTemporaryRedirect)
	})
	for _, tc := range []struct {
		name    string
		handler http.Handler
		hint    string
	}{
		{"who are you", status(http.StatusUnauthorized), "docker login HOST"},
		{"not you", status(http.StatusForbidden), "docker login HOST with an account that has the permission"},
		{"not there", status(http.StatusNotFound), "check the name; a private repository is visible after: docker login HOST"},
		{"broken", status(http.StatusInternalServerError), "the registry has a problem: run the command again later: it continues"},
		{"limited", status(http.StatusTooManyRequests), "rate limit of the registry: wait or lower --jobs, and run the command again: it continues"},
		{"redirected to an unreachable host", redirect, "check that HOST is reachable, and run the command again: it continues"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			host := serve(t, tc.handler)
			c := New(Options{Backoff: time.Millisecond, Attempts: 2, Keychain: secret{}})
			_, err := c.Resolve(t.Context(), host+"/x:y")
			checkError(t, err, strings.ReplaceAll(tc.hint, "HOST", host))
			if text := err.Error(); strings.Contains(text, "hunter2") || len(text) > 1500 {
				t.Errorf("the error's text is %q", text)
			}
		})
	}
	t.Run("invalid names", func(t *testing.T) {
		_, err := quick().Push(t.Context(), "no host", Publication{Set: oci.Set{Index: newIndex(t, "a")}})
		checkError(t, err, "")
		_, err = quick().Resolve(t.Context(), "HOST/UPPER")
		checkError(t, err, "")
	})
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := New(Options{Backoff: time.Minute}).Resolve(ctx, serve(t, status(http.StatusServiceUnavailable))+"/x")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
			t.Errorf("Resolve() after %v = %v", time.Since(start), err)
		}
	})
}

// TestErrorOfAnUnknownHost: the hint for a host without an address.
func TestErrorOfAnUnknownHost(t *testing.T) {
	err := wrap("resolving", "registry.invalid/x:y", &net.DNSError{Err: "no such host", Name: "registry.invalid", IsNotFound: true})
	checkError(t, err, "check that registry.invalid is reachable, and run the command again: it continues")
}
