package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const (
	defaultJobs     = 4
	defaultAttempts = 5
	defaultBackoff  = time.Second
)

// Options of a Client; the zero value is ready for use.
type Options struct {
	// Jobs is how many requests run at once; 0 means 4.
	Jobs int
	// Attempts is how often a request is made before it fails for good; 0
	// means 5.
	Attempts int
	// Backoff is the wait after the first attempt, doubled after each; 0
	// means one second. A longer Retry-After of the registry is honoured. No
	// wait is longer than half a minute.
	Backoff time.Duration
	// Keychain knows the credentials; nil means those of docker and podman.
	Keychain authn.Keychain
	// Transport makes the requests; nil means one that knows the proxies of
	// the environment.
	Transport http.RoundTripper
	// UserAgent names the client; "" means "pgext".
	UserAgent string
	// Log takes retries; nil discards.
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
		o.Transport = patientTransport()
	}
	if o.UserAgent == "" {
		o.UserAgent = "pgext"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// patientTransport ends requests that a registry never answers. Moving a large
// blob to where it belongs takes some of them minutes.
func patientTransport() http.RoundTripper {
	t, ok := remote.DefaultTransport.(*http.Transport)
	if !ok {
		return remote.DefaultTransport
	}
	t = t.Clone()
	t.ResponseHeaderTimeout = maxSilence
	return t
}

// maxSilence is how long an answer is waited for.
const maxSilence = 5 * time.Minute

// Client talks to registries. It is safe for use by several goroutines.
type Client struct {
	o         Options
	transport *retrying
}

// New returns a client.
func New(o Options) *Client {
	o = o.complete()
	return &Client{o: o, transport: newRetrying(o)}
}

// remoteOptions leave retries to web. Only the upload of a blob's bytes is
// repeated by the library, from its start: the registry may have kept part of
// them.
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

// NameError says that a text names no repository.
type NameError struct {
	Name string
	Err  error
}

func (e *NameError) Error() string { return fmt.Sprintf("%q is not a repository: %v", e.Name, e.Err) }

// Unwrap returns what is wrong with it.
func (e *NameError) Unwrap() error { return e.Err }

// ExitCode is that of a registry.
func (*NameError) ExitCode() int { return exitCode }

// Hint shows the form.
func (*NameError) Hint() string {
	return "a repository is HOST[:PORT]/PATH in lower case, without a scheme: registry.example.com/extensions"
}

// CheckRepository judges HOST/PATH without asking anybody. The error is a
// *NameError.
func CheckRepository(repo string) error {
	if strings.Contains(repo, "://") {
		return &NameError{repo, errors.New("it has a scheme")}
	}
	if _, err := name.NewRepository(strings.TrimSuffix(repo, "/")+"/image", name.StrictValidation); err != nil {
		return &NameError{repo, err}
	}
	return nil
}
