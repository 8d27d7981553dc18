package registry

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"
)

// smallBlob is the maximum size of a blob that is read back completely, in bytes,
// such as configs and signatures. For larger ones the size is compared.
const smallBlob = 256 << 10

// incompleteError is the error for content that the registry lacks or has
// changed.
type incompleteError struct{ what, why string }

func (e *incompleteError) Error() string { return e.what + ": " + e.why }

const notThere = "not found in the registry"

// readBack reads what was sent: the bytes of every manifest, every blob, every list
// of referrers, every legacy tag.
func (t *transaction) readBack(ctx context.Context) error {
	if err := t.updateLegacy(ctx, false); err != nil {
		return err
	}
	if err := t.listAll(ctx); err != nil {
		return err
	}
	seen := map[v1.Hash]bool{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(t.client.o.Jobs)
	for _, m := range slices.Concat(t.image, t.referrers, t.legacy) {
		g.Go(func() error { return t.compareManifest(ctx, m) })
		for _, b := range m.blobs {
			if !seen[b.Digest] {
				seen[b.Digest] = true
				g.Go(func() error { return t.compareBlob(ctx, b.Descriptor) })
			}
		}
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("reading back: %w", err)
	}
	return nil
}

func (s *session) compareManifest(ctx context.Context, m manifest) error {
	_, ok, err := s.read(ctx, m.digest.String()) // compares the digest
	if err == nil && !ok {
		err = &incompleteError{"manifest " + m.digest.String(), notThere}
	}
	return err
}

func (s *session) compareBlob(ctx context.Context, d v1.Descriptor) error {
	method := http.MethodHead
	if d.Size <= smallBlob {
		method = http.MethodGet
	}
	a, err := s.do(ctx, request{
		method: method, path: "blobs/" + d.Digest.String(), accept: []int{http.StatusOK, http.StatusNotFound},
	})
	switch {
	case err != nil:
		return fmt.Errorf("blob %s: %w", d.Digest, err)
	case a.status == http.StatusNotFound:
		return &incompleteError{"blob " + d.Digest.String(), notThere}
	case method == http.MethodHead:
		// Some registries omit the size; the status shows that they have the blob.
		if size, err := strconv.ParseInt(a.header.Get("Content-Length"), 10, 64); err == nil && size != d.Size {
			return fmt.Errorf("blob %s: size mismatch: got %d bytes from the registry, want %d", d.Digest, size, d.Size)
		}
		return nil
	}
	return checkBlob(d, a.body)
}
