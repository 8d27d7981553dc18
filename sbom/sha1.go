package sbom

import (
	"context"
	"crypto/sha1" //nolint:gosec // what SPDX asks for; nothing is trusted by it
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

// sha1Kind names the cache records of SHA-1 digests. A record is kept under
// the digest of the SHA-256 digests of a layer's contents, in order, and holds
// their SHA-1 digests in that order: a layer is read once, when it is new and
// compressed anyway, and one record is cheaper to read than one a file.
const sha1Kind = "sha1-1"

// SHA1Options say how files are digested.
type SHA1Options struct {
	// Cache remembers the digests; required.
	Cache *cache.Cache
	// Jobs is how many files are read at once; 0 means one a CPU.
	Jobs int
	// Log is told, at debug level, when nothing can be remembered; nil
	// discards.
	Log *slog.Logger
}

// SHA1 returns the SHA-1 digests of a layer's files in hex, by their SHA-256.
// SPDX wants both of every file (SPDX 2.3, section 8.4), and a tree knows the
// other one only. A layer whose digests the cache remembers is not read.
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
			o.Log.Debug("not remembering SHA-1 digests", "error", err)
		}
	}
	sums := make(map[string]string, len(digests))
	for i, digest := range digests {
		sums[digest] = hex.EncodeToString(record[i*sha1.Size : (i+1)*sha1.Size])
	}
	return sums, nil
}

// sha1Record reads the files and returns their SHA-1 digests one behind the
// other, in the order of digests.
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

// putSHA1 puts the SHA-1 of a file into sum.
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
