package sign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tuf"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// maxRootFile bounds a trusted root, in bytes.
const maxRootFile = 4 << 20

// Root names the authorities that certificates, log entries and timestamps are
// judged by.
type Root struct {
	material *root.TrustedRoot
}

const rootHint = "cosign trusted-root create writes one for services of your own"

func readRoot(text []byte) (*Root, error) {
	if len(text) > maxRootFile {
		return nil, errors.New("too large")
	}
	var material *root.TrustedRoot
	err := recoverPanic(func() (err error) {
		material, err = root.NewTrustedRootFromJSON(text)
		return err
	})
	return &Root{material}, err
}

// LoadRoot reads a trusted_root.json (sigstore's media type 0.1).
func LoadRoot(name string) (*Root, error) {
	return loadFile("trusted root", name, rootHint, maxRootFile, readRoot)
}

// RootOptions say where FetchRoot and FetchSigningConfig find what a deployment
// publishes. The zero value is sigstore's public one, but for Cache.
type RootOptions struct {
	// Cache is a folder for what was fetched; it is created when needed.
	Cache string
	// Mirror is the root of a TUF repository; "" means sigstore's own.
	Mirror string
	// Anchor is the repository's root.json that is trusted from the start;
	// empty means the one that this program was built with.
	Anchor []byte
	// Offline takes what the cache has, however old; it fails when the cache's
	// metadata has expired.
	Offline bool
	// Transport makes the requests; nil means one that knows the proxies of
	// the environment.
	Transport http.RoundTripper
	// Agent names the client; "" means "pgext".
	Agent string
}

// FetchRoot returns the trusted root of a deployment, by the rules of TUF:
// signed, not expired, never older than the one seen before. The error is a
// *RootError.
func FetchRoot(ctx context.Context, o RootOptions) (*Root, error) {
	var r *Root
	err := fetchTarget(ctx, o, []string{"trusted_root.json"}, func(text []byte) (err error) {
		r, err = readRoot(text)
		return err
	})
	if err != nil {
		return nil, repositoryError("trusted root", o.complete().Mirror, "fetch trusted_root.json elsewhere and pass it with --trusted-root", err)
	}
	return r, nil
}

func (o RootOptions) complete() RootOptions {
	o.Mirror, o.Agent = cmp.Or(o.Mirror, tuf.DefaultMirror), cmp.Or(o.Agent, "pgext")
	if len(o.Anchor) == 0 {
		o.Anchor = tuf.DefaultRoot()
	}
	return o
}

// fetchTarget reads the first of names that the repository has.
func fetchTarget(ctx context.Context, o RootOptions, names []string, read func([]byte) error) error {
	return recoverPanic(func() error {
		client, err := o.complete().client(ctx)
		if err != nil {
			return err
		}
		var missing error
		for _, name := range names {
			text, err := client.GetTarget(name)
			if err == nil {
				return read(text)
			}
			missing = errors.Join(missing, err)
		}
		return missing
	})
}

// client updates what the cache has of the repository.
func (o RootOptions) client(ctx context.Context) (*tuf.Client, error) {
	if o.Cache == "" {
		return nil, errors.New("no folder to keep it in")
	}
	transport := o.Transport
	switch {
	case o.Offline:
		transport = unreachable{}
	case transport == nil:
		transport = http.DefaultTransport
	}
	at, err := url.Parse(o.Mirror)
	if err != nil {
		return nil, errors.New("its address is no URL")
	}
	user := at.User
	at.User = nil // the cache has a folder of the address's name
	return tuf.New(&tuf.Options{
		Root: o.Anchor, RepositoryBaseURL: at.String(), CachePath: o.Cache, ForceCache: o.Offline,
		Fetcher: downloader(ctx, transport, o.Agent, user),
	})
}

// errOffline is why nothing is fetched.
var errOffline = errors.New("not in the cache, and nothing may be fetched")

type unreachable struct{}

// RoundTrip implements http.RoundTripper.
func (unreachable) RoundTrip(*http.Request) (*http.Response, error) { return nil, errOffline }

// tufFetcher downloads for the TUF client, which knows no context.
type tufFetcher func(url string, limit int64) ([]byte, error)

// DownloadFile implements fetcher.Fetcher. The client names no time limit.
func (f tufFetcher) DownloadFile(url string, limit int64, _ time.Duration) ([]byte, error) {
	return f(url, limit)
}

func downloader(ctx context.Context, transport http.RoundTripper, agent string, user *url.Userinfo) tufFetcher {
	client := &http.Client{Transport: transport}
	return func(url string, limit int64) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("User-Agent", agent)
		if user != nil {
			password, _ := user.Password()
			req.SetBasicAuth(user.Username(), password)
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return nil, &metadata.ErrDownloadHTTP{StatusCode: resp.StatusCode, URL: url}
		}
		text, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
		if err == nil && int64(len(text)) > limit {
			err = &metadata.ErrDownloadLengthMismatch{Msg: fmt.Sprintf("%s has more than %d bytes", url, limit)}
		}
		return text, err
	}
}
