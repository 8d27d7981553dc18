package builder

import (
	"context"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/imagemeta"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/recipe"
)

// made is an index that is ready to be written.
type made struct {
	recipe   *recipe.Recipe
	target   recipe.Target
	index    v1.ImageIndex
	metadata metadata.Metadata
	tags     [2]string
	parts    []archImage
}

// makeImage writes the layers of a layout to the cache and returns its image.
// The epoch is Options.Epoch, otherwise the newest file time in the packages that
// supplied a file.
func (b *Builder) makeImage(ctx context.Context, l archLayout) (archImage, error) {
	if err := l.check(); err != nil {
		return archImage{}, err
	}
	platform, ok := debian.LookupArchitecture(l.pins.Arch)
	if !ok {
		return archImage{}, fmt.Errorf("no OCI platform is known for architecture %s", l.pins.Arch)
	}
	out := archImage{archLayout: l, epoch: l.layout.Epoch}
	if b.s.Epoch != nil {
		out.epoch = *b.s.Epoch
	}
	o := image.LayerOptions{Cache: b.s.Cache, Compression: b.s.Compression, Epoch: out.epoch, Jobs: b.s.Jobs}
	var parts []image.Part
	for _, p := range []struct {
		tree    filetree.Tree
		comment string
	}{{l.layout.Libraries, "pgext: libraries"}, {l.layout.Extension, "pgext: extension"}} {
		if p.tree.Len() == 0 {
			continue
		}
		layer, err := image.NewLayer(ctx, p.tree, o)
		if err != nil {
			return archImage{}, err
		}
		parts = append(parts, image.Part{Layer: layer, Comment: p.comment})
	}
	labels, err := l.description.Labels(out.epoch)
	if err != nil {
		return archImage{}, err
	}
	out.image, err = image.New(image.Spec{
		Platform: v1.Platform{OS: "linux", Architecture: platform.OCI, Variant: platform.Variant},
		Epoch:    out.epoch, Parts: parts, Labels: labels, Annotations: l.description.Annotations(out.epoch),
	})
	return out, err
}

// join makes the index of the architectures of one target, at least one. Their
// metadata must agree.
func (b *Builder) join(parts []archImage) (made, error) {
	all := make([]metadata.Metadata, len(parts))
	descriptions := make([]imagemeta.Description, len(parts))
	images := make([]v1.Image, len(parts))
	var epoch time.Time
	for i, p := range parts {
		all[i], descriptions[i], images[i] = p.description.Metadata, p.description, p.image
		if p.epoch.After(epoch) {
			epoch = p.epoch
		}
	}
	union, err := metadata.Union(all)
	if err != nil {
		return made{}, err
	}
	idx, err := image.NewIndex(images, imagemeta.Together(descriptions).Annotations(epoch))
	if err != nil {
		return made{}, err
	}
	m := made{recipe: parts[0].recipe, target: parts[0].target, index: idx, metadata: union, parts: parts}
	m.tags[0], m.tags[1] = metadata.Tags(union.Version, m.target.Postgres, m.target.Distro, epoch, b.s.Revision)
	return m, nil
}
