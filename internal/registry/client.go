package registry

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const (
	defaultJobs     = 4
	defaultAttempts = 5
	defaultBackoff  = time.Second
)

// Options are the options of a Client; the zero value is valid.
type Options struct {
	// Jobs is the number of concurrent requests; 0 means 4.
	Jobs int
	// Attempts is the number of attempts of a request; 0 means 5.
	Attempts int
	// Backoff is the pause after the first attempt, doubled after each further
	// one; 0 means one second. A longer Retry-After of the registry is honoured.
	// The maximum is 30 seconds.
	Backoff time.Duration
	// Keychain has the credentials; nil means those of docker and podman.
	Keychain authn.Keychain
	// Transport makes the requests; nil means one that uses the proxies of the
	// environment.
	Transport http.RoundTripper
	// UserAgent is the header of requests; "" means "pgext".
	UserAgent string
	// Log records retries; nil discards.
	Log *slog.Logger
}

func (o Options) complete() Options {
	if o.Jobs < 1 {
		o.Jobs = defaultJobs
	}
	if o.Attempts < 1 {
		o.Attempts = defaultAttempts
	}
	if o.Backoff <= 0 {
		o.Backoff = defaultBackoff
	}
	if o.Keychain == nil {
		o.Keychain = authn.DefaultKeychain
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	if o.UserAgent == "" {
		o.UserAgent = "pgext"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// newTransport returns a transport with a timeout for the response. Some registries
// need minutes to store a large blob.
func newTransport() http.RoundTripper {
	t, ok := remote.DefaultTransport.(*http.Transport)
	if !ok {
		return remote.DefaultTransport
	}
	t = t.Clone()
	t.ResponseHeaderTimeout = responseTimeout
	return t
}

// responseTimeout is the time to wait for the header of a response.
const responseTimeout = 5 * time.Minute

// Client is a client of registries. It is safe for concurrent use.
type Client struct {
	o         Options
	transport *retrying
}

// New returns a client.
func New(o Options) *Client {
	o = o.complete()
	return &Client{o: o, transport: newRetrying(o)}
}

// remoteOptions returns the options of go-containerregistry. web makes the retries,
// except for the upload of a blob's bytes: the library restarts it, because the
// registry may have kept a part.
func (c *Client) remoteOptions(ctx context.Context, web *retrying) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx),
		remote.WithTransport(web),
		remote.WithAuthFromKeychain(c.o.Keychain),
		remote.WithJobs(c.o.Jobs),
		remote.WithUserAgent(c.o.UserAgent),
		remote.WithRetryStatusCodes(),
		remote.WithRetryPredicate(func(err error) bool { return ctx.Err() == nil && isUpload(err) && isTemporary(err) }),
		remote.WithRetryBackoff(remote.Backoff{
			Duration: c.o.Backoff, Factor: 2, Jitter: 0.2, Steps: c.o.Attempts, Cap: maxWait,
		}),
	}
}
