package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"
)

// onces runs a function once per digest; concurrent callers wait for the result.
type onces struct {
	mu  sync.Mutex
	all map[v1.Hash]func() error
}

func (o *onces) do(h v1.Hash, fn func() error) error {
	o.mu.Lock()
	once, ok := o.all[h]
	if !ok {
		if o.all == nil {
			o.all = map[v1.Hash]func() error{}
		}
		once = sync.OnceValue(fn)
		o.all[h] = once
	}
	o.mu.Unlock()
	return once()
}

// send uploads manifests by digest, in order, each after its blobs. Unless thorough
// is true, a manifest that the registry has is taken as complete.
func (t *transaction) send(ctx context.Context, all []manifest, thorough bool) error {
	if len(all) == 0 {
		return nil
	}
	exists := make([]bool, len(all))
	if !thorough {
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(t.client.o.Jobs)
		for i, m := range all {
			g.Go(func() (err error) {
				_, exists[i], err = t.names(ctx, m.digest.String())
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	g, blobs := errgroup.WithContext(ctx)
	g.SetLimit(t.client.o.Jobs)
	for i, m := range all {
		for _, b := range m.blobs {
			if !exists[i] {
				g.Go(func() error { return t.sendBlob(blobs, b) })
			}
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, m := range all {
		if exists[i] {
			continue
		}
		if err := t.put(ctx, m.digest.String(), m.stored, ""); err != nil {
			return fmt.Errorf("manifest %s: %w", m.digest, err)
		}
	}
	return nil
}

// sendBlob uploads a blob unless the registry has it. The library repeats an
// interrupted upload, but cannot know that a repeated commit failed because the first
// one succeeded.
func (t *transaction) sendBlob(ctx context.Context, b blob) error {
	return t.sent.do(b.Digest, func() error {
		var err error
		for range uploadAttempts {
			if err = t.pusher.Upload(ctx, t.repo, b.layer); err == nil {
				return nil
			}
			if ctx.Err() != nil || !strings.Contains(err.Error(), "/blobs/uploads/") ||
				!hasStatus(err, http.StatusNotFound, http.StatusBadRequest, http.StatusRequestedRangeNotSatisfiable) {
				break
			}
		}
		return fmt.Errorf("blob %s: %w", b.Digest, err)
	})
}

// uploadAttempts is the number of attempts of an upload that the registry reports as
// unknown.
const uploadAttempts = 3
