package builder

import (
	"context"
	"crypto/sha1" //nolint:gosec // what SPDX asks for; nothing is trusted by it
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/hexdigest"
)

// sha1Kind names the cache records of SHA-1 digests. A record is kept under
// the digest of the SHA-256 digests of a layer's contents, in order, and holds
// their SHA-1 digests in that order: a layer is read once, when it is new and
// compressed anyway, and one record is cheaper to read than one a file.
const sha1Kind = "sha1-1"

// sha1Sums returns the SHA-1 digests of the files of a layer in hex, by their
// SHA-256.
func (b *Builder) sha1Sums(ctx context.Context, layer filetree.Tree) (map[string]string, error) {
	files := map[string]filetree.Entry{}
	for e := range layer.All() {
		if e.Kind == filetree.File {
			files[e.SHA256] = e
		}
	}
	digests := make([]string, 0, len(files))
	for digest := range files {
		digests = append(digests, digest)
	}
	slices.Sort(digests)
	key := hexdigest.SHA256([]byte(strings.Join(digests, "")))
	record, ok := b.o.Cache.Record(sha1Kind, key)
	if !ok || len(record) != len(digests)*sha1.Size {
		record = make([]byte, len(digests)*sha1.Size)
		if err := each(b.o.Jobs, len(digests), func(i int) error {
			return sha1Of(ctx, files[digests[i]], record[i*sha1.Size:(i+1)*sha1.Size])
		}); err != nil {
			return nil, err
		}
		if err := b.o.Cache.PutRecord(sha1Kind, key, record); err != nil {
			b.o.Log.Debug("not remembering SHA-1 digests", "error", err)
		}
	}
	sums := make(map[string]string, len(digests))
	for i, digest := range digests {
		sums[digest] = hex.EncodeToString(record[i*sha1.Size : (i+1)*sha1.Size])
	}
	return sums, nil
}

// sha1Of puts the SHA-1 of a file into sum.
func sha1Of(ctx context.Context, e filetree.Entry, sum []byte) error {
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
