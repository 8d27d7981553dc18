package builder

import (
	"context"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/imagemeta"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

// made is an index that is ready to be written.
type made struct {
	recipe   *recipe.Recipe
	target   recipe.Target
	index    v1.ImageIndex
	metadata metadata.Metadata
	tags     [2]string
	parts    []part
}

// makeImage makes one architecture's image and returns its epoch: the newest file
// of the packages that gave it one, or Options.Epoch.
func (b *Builder) makeImage(ctx context.Context, arch string, arranged layout.Result, d imagemeta.Description) (v1.Image, time.Time, error) {
	platform, ok := debian.LookupArchitecture(arch)
	if !ok {
		return nil, time.Time{}, fmt.Errorf("no OCI platform is known for architecture %s", arch)
	}
	epoch := arranged.Epoch
	if b.s.Epoch != nil {
		epoch = *b.s.Epoch
	}
	o := image.LayerOptions{Cache: b.s.Cache, Compression: b.s.Compression, Epoch: epoch, Jobs: b.s.Jobs}
	var parts []image.Part
	if arranged.Libraries.Len() > 0 {
		l, err := image.NewLayer(ctx, arranged.Libraries, o)
		if err != nil {
			return nil, time.Time{}, err
		}
		parts = append(parts, image.Part{Layer: l, Comment: "pgext: libraries"})
	}
	l, err := image.NewLayer(ctx, arranged.Extension, o)
	if err != nil {
		return nil, time.Time{}, err
	}
	parts = append(parts, image.Part{Layer: l, Comment: "pgext: extension"})
	labels, err := d.Labels(epoch)
	if err != nil {
		return nil, time.Time{}, err
	}
	img, err := image.New(image.Spec{
		Platform: v1.Platform{OS: "linux", Architecture: platform.OCI, Variant: platform.Variant},
		Epoch:    epoch, Parts: parts, Labels: labels, Annotations: d.Annotations(epoch),
	})
	return img, epoch, err
}

// join makes the index of the architectures of one target, at least one. What
// they say about themselves must agree.
func (b *Builder) join(parts []part) (made, error) {
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
