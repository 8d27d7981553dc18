package debinfo

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Request is one package to scan.
type Request struct {
	// Name is the package's name for error messages; "" shows the digest.
	Name string
	// SHA256 is the digest of the .deb, in lower-case hex.
	SHA256 string
	// Keep is the keep argument of Scan. ScanAll calls it from several
	// goroutines.
	Keep Keep
}

// ScanAll is Scan for many packages, Options.Jobs in parallel, the largest first.
// Results are in the order of the requests. It stops at the first error.
func (s *Store) ScanAll(ctx context.Context, requests []Request) ([]*Info, error) {
	results := make([]*Info, len(requests))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.options.Jobs)
	for _, i := range s.bySize(requests) {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			r := requests[i]
			info, err := s.scan(ctx, r.SHA256, r.Keep)
			results[i] = info
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

// bySize returns the indexes of requests, largest package first, so that no large
// one runs alone at the end.
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
