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

// maxRootFile is the maximum size of a trusted root or signing config in bytes.
const maxRootFile = 4 << 20

// Root has the authorities and logs that certificates, log entries and timestamps
// are verified with.
type Root struct {
	material *root.TrustedRoot
}

const rootHint = "run cosign trusted-root create for a file with your own services"

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

// RootOptions select the TUF repository of a deployment. The zero value, with Cache
// set, is sigstore's public repository.
type RootOptions struct {
	// Cache is the directory for downloaded metadata and targets; it is required, and
	// is created if necessary.
	Cache string
	// Mirror is the URL of a TUF repository; "" means sigstore's own.
	Mirror string
	// Anchor is the initial root.json of the repository; empty means that of sigstore,
	// which is part of the program.
	Anchor []byte
	// Offline uses the cached metadata. It is an error if the metadata has expired.
	Offline bool
	// Transport sends the requests; nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Agent is the user agent; "" means "pgext".
	Agent string
}

// FetchRoot downloads the trusted root of a deployment and verifies it by the rules
// of TUF: signed, not expired, and not older than the cached version.
func FetchRoot(ctx context.Context, o RootOptions) (*Root, error) {
	var r *Root
	err := fetchTarget(ctx, o, []string{"trusted_root.json"}, func(text []byte) (err error) {
		r, err = readRoot(text)
		return err
	})
	if err != nil {
		return nil, repositoryError("trusted root", o.complete().Mirror, "download trusted_root.json on another machine and pass it with --trusted-root", err)
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

// fetchTarget parses the first target of names that the repository has.
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

// client returns a TUF client with updated metadata.
func (o RootOptions) client(ctx context.Context) (*tuf.Client, error) {
	if o.Cache == "" {
		return nil, errors.New("no cache directory")
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
		return nil, errors.New("invalid URL")
	}
	user := at.User
	at.User = nil // the name of the cache directory contains the URL
	return tuf.New(&tuf.Options{
		Root: o.Anchor, RepositoryBaseURL: at.String(), CachePath: o.Cache, ForceCache: o.Offline,
		Fetcher: downloader(ctx, transport, o.Agent, user),
	})
}

var errOffline = errors.New("not in the cache, and downloads are disabled")

// unreachable is a transport that refuses all requests.
type unreachable struct{}

// RoundTrip implements http.RoundTripper.
func (unreachable) RoundTrip(*http.Request) (*http.Response, error) { return nil, errOffline }

// tufFetcher downloads files for the TUF client, which passes no context.
type tufFetcher func(url string, limit int64) ([]byte, error)

// DownloadFile implements fetcher.Fetcher. It ignores the timeout, which the client
// does not set.
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
