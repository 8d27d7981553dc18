package sbom

import (
	"context"
	"crypto/sha1" //nolint:gosec // SPDX requires SHA-1; pgext does not rely on it for security
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/filetree"
)

// sha1Kind is the kind of the cache records of SHA-1 digests. There is one record
// for each layer, because one large record is read faster than many small ones. Its
// key is the digest of the sorted SHA-256 digests of the layer's files; its value
// is their SHA-1 digests in the same order.
const sha1Kind = "sha1-1"

// SHA1Options configure SHA1.
type SHA1Options struct {
	// Cache stores the digests; required.
	Cache *cache.Cache
	// Jobs is the number of files read concurrently; 0 stands for the number of
	// CPUs.
	Jobs int
	// Log receives a debug message if the cache cannot be written; nil discards.
	Log *slog.Logger
}

// SHA1 returns the SHA-1 digests of a layer's files in hex, by their SHA-256
// digests. SPDX requires SHA-1 for every file (SPDX 2.3, section 8.4), and a tree
// has SHA-256 only. SHA1 does not read a layer whose digests are in the cache.
func SHA1(ctx context.Context, layer filetree.Tree, o SHA1Options) (map[string]string, error) {
	files := map[string]filetree.Entry{}
	for e := range layer.All() {
		if e.Kind == filetree.File {
			files[e.SHA256] = e
		}
	}
	digests := slices.Sorted(maps.Keys(files))
	key := digest.SHA256([]byte(strings.Join(digests, "")))
	record, ok := o.Cache.Record(sha1Kind, key)
	if !ok || len(record) != len(digests)*sha1.Size {
		var err error
		if record, err = sha1Record(ctx, files, digests, o.Jobs); err != nil {
			return nil, err
		}
		if err := o.Cache.PutRecord(sha1Kind, key, record); err != nil && o.Log != nil {
			o.Log.Debug("cannot cache SHA-1 digests", "error", err)
		}
	}
	sums := make(map[string]string, len(digests))
	for i, digest := range digests {
		sums[digest] = hex.EncodeToString(record[i*sha1.Size : (i+1)*sha1.Size])
	}
	return sums, nil
}

// sha1Record reads the files and returns their concatenated SHA-1 digests, in the
// order of digests.
func sha1Record(ctx context.Context, files map[string]filetree.Entry, digests []string, jobs int) ([]byte, error) {
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(jobs)
	record := make([]byte, len(digests)*sha1.Size)
	for i, digest := range digests {
		group.Go(func() error {
			return putSHA1(ctx, files[digest], record[i*sha1.Size:(i+1)*sha1.Size])
		})
	}
	return record, group.Wait()
}

// putSHA1 writes the SHA-1 digest of a file to sum.
func putSHA1(ctx context.Context, e filetree.Entry, sum []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := e.Content.Open()
	if err != nil {
		return fmt.Errorf("reading %s: %w", e.Path, err)
	}
	defer r.Close()
	h := sha1.New() //nolint:gosec // see the import
	if _, err := io.Copy(h, r); err != nil {
		return fmt.Errorf("reading %s: %w", e.Path, err)
	}
	copy(sum, h.Sum(nil))
	return nil
}
