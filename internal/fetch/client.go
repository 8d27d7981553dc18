package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/pgext/pgext/internal/redact"
)

const maxRedirects = 10

// newClient returns the client of o, or the default one, taught where
// credentials may go and which redirects to follow.
func newClient(o Options) *http.Client {
	client := http.Client{}
	if o.Client != nil {
		client = *o.Client
	}
	if client.Transport == nil {
		client.Transport = newTransport(o)
	}
	client.Transport = authorizer{client.Transport}
	client.CheckRedirect = checkRedirect
	return &client
}

func newTransport(o Options) *http.Transport {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConns:           4 * o.Jobs,
		MaxIdleConnsPerHost:    o.Jobs,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    15 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 1 << 20,
	}
}

var errProxy = errors.New("the proxy that the environment names is not a URL")

// proxy is http.ProxyFromEnvironment, whose error would show a password.
func proxy(req *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, errProxy
	}
	return u, nil
}

// credential is a user and password, and the only place they may be sent to.
type credential struct {
	scheme, host   string // host with its port
	user, password string
}

func (c *credential) fits(u *url.URL) bool {
	return c.scheme == u.Scheme && c.host == canonicalHost(u)
}

func canonicalHost(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

type credentialKey struct{}

func withCredential(ctx context.Context, c *credential) context.Context {
	if c == nil {
		return ctx
	}
	return context.WithValue(ctx, credentialKey{}, c)
}

// authorizer adds the credential of the context to a request, but to none that a
// redirect has led to another place. net/http alone would also send it to
// subdomains and to other ports.
type authorizer struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (a authorizer) RoundTrip(req *http.Request) (*http.Response, error) {
	c, ok := req.Context().Value(credentialKey{}).(*credential)
	if ok && c.fits(req.URL) {
		req = req.Clone(req.Context())
		req.SetBasicAuth(c.user, c.password)
	}
	return a.base.RoundTrip(req)
}

// refusedRedirectError reports why a redirect was not followed.
type refusedRedirectError struct{ text string }

func (e *refusedRedirectError) Error() string { return e.text }

func checkRedirect(req *http.Request, via []*http.Request) error {
	req.Header.Del("Referer") // its query may be a secret of the last host
	if len(via) > maxRedirects {
		return &refusedRedirectError{fmt.Sprintf("more than %d redirects", maxRedirects)}
	}
	to, from := req.URL.Scheme, via[len(via)-1].URL.Scheme
	if to != "https" && to != "http" || to == "http" && from == "https" {
		return &refusedRedirectError{fmt.Sprintf("redirected from %s to %s", from, redact.URL(req.URL))}
	}
	return nil
}
