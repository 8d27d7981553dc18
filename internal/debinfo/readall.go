package debinfo

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Request is one package to read.
type Request struct {
	// Name of the package for people, in errors; "" when only its digest is
	// known.
	Name string
	// SHA256 is the digest of the .deb, in lower-case hex.
	SHA256 string
	// Keep is as for Read. ReadAll calls it from several goroutines.
	Keep Keep
}

// ReadAll is Read for many packages: as many at a time as the Store has jobs,
// the largest first. Results are in the order of the requests. The first
// error ends it.
func (s *Store) ReadAll(ctx context.Context, requests []Request) ([]*Contents, error) {
	results := make([]*Contents, len(requests))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.options.Jobs)
	for _, i := range s.bySize(requests) {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			r := requests[i]
			c, err := s.read(ctx, r.SHA256, r.Keep)
			results[i] = c
			if err != nil {
				return fmt.Errorf("reading package %s: %w", cmp.Or(r.Name, "sha256:"+r.SHA256), err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return results, nil
}

// bySize returns the indexes of requests, largest package first, so that no
// large one is left alone at the end.
func (s *Store) bySize(requests []Request) []int {
	order := make([]int, len(requests))
	sizes := make([]int64, len(requests))
	for i, r := range requests {
		order[i] = i
		sizes[i], _ = s.cache.Has(r.SHA256)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sizes[b], sizes[a]) })
	return order
}
