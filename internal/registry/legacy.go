package registry

import (
	"cmp"
	"context"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/oci"
)

// updateLegacy merges the images of the publication into those of the legacy tags.
func (t *transaction) updateLegacy(ctx context.Context, thorough bool) error {
	tags := slices.Sorted(maps.Keys(t.p.Legacy))
	t.legacy = make([]manifest, len(tags))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(t.client.o.Jobs)
	for i, tag := range tags {
		g.Go(func() (err error) {
			t.legacy[i], err = t.updateTag(ctx, tag, thorough)
			return err
		})
	}
	return g.Wait()
}

// updateTag repeats the merge until the tag names its result.
func (t *transaction) updateTag(ctx context.Context, tag string, thorough bool) (manifest, error) {
	var current manifest
	err := t.update(ctx, tag, func(old stored, ok bool) (stored, bool, error) {
		var existing v1.Image
		var err error
		if ok {
			if existing, err = t.openImage(ctx, old); err != nil {
				return stored{}, false, err
			}
		}
		img, err := oci.MergeLegacy(existing, t.p.Legacy[tag])
		if err != nil {
			return stored{}, false, err
		}
		if current, err = imageManifest(img); err != nil {
			return stored{}, false, err
		}
		changed := thorough || current.digest != old.digest
		if changed {
			err = t.send(ctx, []manifest{current}, thorough)
		}
		thorough = false
		return current.stored, changed, err
	})
	return current, err
}

func compareHashes(a, b v1.Hash) int {
	return cmp.Or(cmp.Compare(a.Algorithm, b.Algorithm), cmp.Compare(a.Hex, b.Hex))
}
