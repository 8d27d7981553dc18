package registry

import (
	"cmp"
	"context"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"golang.org/x/sync/errgroup"
)

// evidenceTags returns the tags under which tools from before OCI 1.1 keep
// signatures, attestations and SBOMs of a manifest.
func evidenceTags(subject v1.Hash) []string {
	tag := fallbackTag(subject)
	return []string{tag + ".att", tag + ".sbom", tag + ".sig"}
}

// Merge returns the Evidence that adds the layers of img to those that a tag
// has. Where it has none, or none that img lacks, img comes as it is.
func Merge(img v1.Image) Evidence {
	return func(existing v1.Image) (v1.Image, error) {
		if existing == nil {
			return img, nil
		}
		if same, err := sameDigest(img, existing); same || err != nil {
			return img, err
		}
		lacking, err := layersBeyond(img, existing)
		if err != nil || len(lacking) == 0 {
			return existing, err
		}
		surplus, err := layersBeyond(existing, img)
		if err != nil || len(surplus) == 0 {
			return img, err
		}
		return mutate.Append(existing, lacking...)
	}
}

func sameDigest(a, b v1.Image) (bool, error) {
	x, err := a.Digest()
	if err != nil {
		return false, err
	}
	y, err := b.Digest()
	return x == y, err
}

// layersBeyond returns the layers of img that other lacks. Signatures of one
// image have the same content; what differs is their annotations.
func layersBeyond(img, other v1.Image) ([]mutate.Addendum, error) {
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	o, err := other.Manifest()
	if err != nil {
		return nil, err
	}
	layers, err := img.Layers()
	if err != nil {
		return nil, err
	}
	var out []mutate.Addendum
	for i, d := range m.Layers {
		if !slices.ContainsFunc(o.Layers, func(l v1.Descriptor) bool {
			return l.Digest == d.Digest && maps.Equal(l.Annotations, d.Annotations)
		}) {
			out = append(out, mutate.Addendum{Layer: layers[i], Annotations: d.Annotations, MediaType: d.MediaType})
		}
	}
	return out, nil
}

// updateEvidence brings every tag of evidence to what it shall name.
func (t *transaction) updateEvidence(ctx context.Context, thorough bool) error {
	tags := slices.Sorted(maps.Keys(t.p.Evidence))
	t.evidence = make([]manifest, len(tags))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(t.client.o.Jobs)
	for i, tag := range tags {
		g.Go(func() (err error) {
			t.evidence[i], err = t.updateTag(ctx, tag, thorough)
			return err
		})
	}
	return g.Wait()
}

// updateTag asks what the tag shall name until it names that.
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
		img, err := t.p.Evidence[tag](existing)
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

// With returns the publication with images, by their tags, merged into its
// evidence: their layers join those that a tag has in the registry, and those
// that p brings.
func (p Publication) With(images map[string]v1.Image) Publication {
	all := maps.Clone(p.Evidence)
	if all == nil {
		all = map[string]Evidence{}
	}
	for tag, img := range images {
		before, merge := all[tag], Merge(img)
		all[tag] = func(existing v1.Image) (v1.Image, error) {
			if before == nil {
				return merge(existing)
			}
			existing, err := before(existing)
			if err != nil {
				return nil, err
			}
			return merge(existing)
		}
	}
	p.Evidence = all
	return p
}
