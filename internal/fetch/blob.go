package fetch

import (
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/digest"
)

// defaultMaxSize bounds a blob of unknown size, in bytes.
const defaultMaxSize = 8 << 30

// sha512Kind is the kind of the cache records that lead from a SHA-512 digest to
// the SHA-256 digest of the same blob.
const sha512Kind = "sha512"

// Blob describes the bytes to fetch, identified by their digest.
type Blob struct {
	// Name is for people: it stands in errors, logs and progress.
	Name string
	// URLs is the ladder: each is tried when those before it failed.
	URLs []string
	// SHA256 and SHA512 are digests in lower-case hex. At least one must be
	// given; each that is given is checked while the blob is downloaded. A blob
	// that the cache has under SHA256 is not asked for its SHA512.
	SHA256, SHA512 string
	// Size is in bytes, -1 when it is not known; 0 is an empty blob.
	Size int64
	// MaxSize bounds, in bytes, what is read when Size is not known; 0 is 8 GiB.
	MaxSize int64
}

func (b Blob) check() error {
	switch {
	case b.SHA256 == "" && b.SHA512 == "":
		return errors.New("no digest to verify it with")
	case b.SHA256 != "" && !digest.IsSHA256(b.SHA256), b.SHA512 != "" && !digest.Is(b.SHA512, sha512.Size):
		return fmt.Errorf("sha256 %q, sha512 %q: not a digest in lower-case hex", b.SHA256, b.SHA512)
	}
	return nil
}

// limit returns the largest number of bytes that the blob can have.
func (b Blob) limit() int64 {
	switch {
	case b.Size >= 0:
		return b.Size
	case b.MaxSize > 0:
		return b.MaxSize
	}
	return defaultMaxSize
}

// key identifies the blob's bytes.
func (b Blob) key() string {
	if b.SHA256 != "" {
		return b.SHA256
	}
	return sha512Kind + b.SHA512
}

// Blob makes sure that the cache has b and returns its SHA-256 digest. When the
// cache has it already the content is verified, once a process, and no request
// is made. The error is a *NotFoundError when no URL has it any more, a
// *MismatchError when one of them served other bytes and none the right ones,
// an *OfflineError, a *cache.WriteError, or else tells what happened at each URL.
func (f *Fetcher) Blob(ctx context.Context, b Blob) (sha256 string, err error) {
	sha, err := f.share(ctx, b)
	if err != nil {
		return "", fmt.Errorf("fetching %s: %w", b.Name, err)
	}
	return sha, nil
}

// Blobs is Blob for many at a time, Options.Jobs of them in parallel; results
// are by index. What is gone or missing offline is collected into one error; any
// other error ends the rest.
func (f *Fetcher) Blobs(ctx context.Context, blobs []Blob) ([]string, error) {
	digests := make([]string, len(blobs))
	errs := make([]error, len(blobs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(f.o.Jobs)
	for i, b := range blobs {
		g.Go(func() error {
			digests[i], errs[i] = f.Blob(ctx, b)
			if isMissing(errs[i]) {
				return nil
			}
			return errs[i]
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := joinMissing(blobs, errs); err != nil {
		return nil, err
	}
	return digests, nil
}

// call is one blob being obtained; others who want the same one wait for it.
type call struct {
	urls []string
	done chan struct{} // closed when sha and err are set
	sha  string
	err  error
}

// share obtains b unless another goroutine is doing so, whose result it then
// returns. A failure is shared only by those who would have tried the same.
func (f *Fetcher) share(ctx context.Context, b Blob) (string, error) {
	if err := b.check(); err != nil {
		return "", err
	}
	for {
		f.mu.Lock()
		c, running := f.calls[b.key()]
		if !running {
			c = &call{urls: b.URLs, done: make(chan struct{})}
			f.calls[b.key()] = c
		}
		f.mu.Unlock()
		if !running {
			f.run(ctx, c, b)
			return c.sha, c.err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-c.done:
		}
		if c.err == nil || slices.Equal(c.urls, b.URLs) && !isInterrupted(c.err) {
			return c.sha, c.err
		}
	}
}

func (f *Fetcher) run(ctx context.Context, c *call, b Blob) {
	c.sha, c.err = f.obtain(ctx, b)
	f.mu.Lock()
	delete(f.calls, b.key())
	f.mu.Unlock()
	close(c.done)
}

func isInterrupted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (f *Fetcher) obtain(ctx context.Context, b Blob) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	sha, err := f.cached(b)
	if !errors.Is(err, fs.ErrNotExist) {
		return sha, err
	}
	f.o.Log.DebugContext(ctx, "not in the cache", "name", b.Name, "error", err)
	if f.o.Offline {
		return f.obtainOffline(ctx, b)
	}
	release, err := f.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return f.climb(ctx, b)
}

// obtainOffline tries the file URLs of b only.
func (f *Fetcher) obtainOffline(ctx context.Context, b Blob) (string, error) {
	b.URLs = slices.DeleteFunc(slices.Clone(b.URLs), isRemote)
	sha, err := f.climb(ctx, b)
	var gone *NotFoundError
	if errors.As(err, &gone) {
		return "", &OfflineError{Name: b.Name}
	}
	return sha, err
}

// cached returns the digest of b when the cache has it, and fs.ErrNotExist when
// it has not.
func (f *Fetcher) cached(b Blob) (string, error) {
	sha := b.SHA256
	if sha == "" {
		record, ok := f.cache.Record(sha512Kind, b.SHA512)
		if !ok {
			return "", fs.ErrNotExist
		}
		sha = string(record)
	}
	file, err := f.cache.Open(sha)
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	if b.Size >= 0 && b.Size != info.Size() {
		return "", sizeMismatch(theCache, info.Size(), b.Size)
	}
	return sha, nil
}
