package builder

import (
	"context"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/imagemeta"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
	"github.com/pgext/pgext/layout"
)

// Image is a finished target in an output folder.
type Image struct {
	// Name is the base name of its repository.
	Name     string
	Distro   string
	Postgres int
	Archs    []string
	// Tags are the one that moves and the one that never does.
	Tags [2]string
	// Digest is the index's, "sha256:" and hex.
	Digest string
	// Path is the OCI layout.
	Path     string
	Findings []finding.Finding
	// Unchanged tells that nothing had to be written.
	Unchanged bool
}

// Build carries the targets of a plan to images in the folder dist. What is
// there already and right is neither made nor written again.
func (b *Builder) Build(ctx context.Context, p *Plan, dist string) ([]Image, error) {
	images := make([]Image, len(p.Targets))
	for i, t := range p.Targets {
		image, err := b.buildTarget(ctx, p.Recipe, t, dist)
		if err != nil {
			return nil, fmt.Errorf("building %s for %s: %w", p.Recipe.Name, t, err)
		}
		images[i] = image
	}
	return images, nil
}

// buildTarget is the story of one target: what its architectures came to is
// joined, told about, written.
func (b *Builder) buildTarget(ctx context.Context, r *recipe.Recipe, t Target, dist string) (Image, error) {
	key := b.stampKey(r, t)
	if image, ok := b.current(r, t, key, dist); ok {
		b.s.Log.Info("nothing changed", "image", image.Name, "target", t.String(), "digest", image.Digest)
		return image, nil
	}
	parts := make([]part, len(t.Architectures))
	if err := session.Parallel(b.s.Jobs, len(parts), func(i int) (err error) {
		in := inputs{r, t.Target, t.Architectures[i].Pins}
		if parts[i], err = b.buildArchitecture(ctx, in); err != nil {
			return fmt.Errorf("%s: %w", in.pins.Arch, err)
		}
		return nil
	}); err != nil {
		return Image{}, err
	}
	made, err := b.join(parts)
	if err != nil {
		return Image{}, err
	}
	told, err := b.tell(ctx, made)
	if err != nil {
		return Image{}, err
	}
	return b.write(ctx, made, told, key, dist)
}

// ArchImage resolves and builds one architecture of a target in memory. It writes
// neither a lock nor an image to disk.
func (b *Builder) ArchImage(ctx context.Context, r *recipe.Recipe, t recipe.Target, arch string) (v1.Image, metadata.Metadata, error) {
	a, err := b.resolve(ctx, r, t, arch)
	if err != nil {
		return nil, metadata.Metadata{}, err
	}
	p, err := b.buildArchitecture(ctx, inputs{r, t, a.Pins})
	return p.image, p.description.Metadata, err
}

// inputs are what one architecture's image is a pure function of, with the
// packages that the pins name in the cache.
type inputs struct {
	recipe *recipe.Recipe
	target recipe.Target
	pins   lock.Target
}

// part is one architecture's share of an index, with all that it was made from.
type part struct {
	inputs
	packages    []layout.Package
	arranged    layout.Result
	description imagemeta.Description
	findings    []finding.Finding
	image       v1.Image
	epoch       time.Time
}

// buildArchitecture is the story of one architecture, from pins to image.
// Findings that are errors end it before anything is made.
func (b *Builder) buildArchitecture(ctx context.Context, in inputs) (part, error) {
	p, err := b.sound(ctx, in)
	if err != nil {
		return part{}, err
	}
	p.image, p.epoch, err = b.makeImage(ctx, in.pins.Arch, p.arranged, p.description)
	return p, err
}

// sound is arrange for those who want nothing that cannot work.
func (b *Builder) sound(ctx context.Context, in inputs) (part, error) {
	p, err := b.arrange(ctx, in)
	if err != nil {
		return part{}, err
	}
	if worst, _ := finding.Worst(p.findings); worst == finding.Error {
		return part{}, &finding.FatalError{Findings: p.findings}
	}
	return p, p.description.Metadata.Validate()
}

// arrange carries one architecture to the point where its image is a tree with
// a description; it has no image yet.
func (b *Builder) arrange(ctx context.Context, in inputs) (part, error) {
	if err := b.fetch(ctx, in); err != nil {
		return part{}, err
	}
	packages, err := b.extract(ctx, in)
	if err != nil {
		return part{}, err
	}
	arranged, err := b.layOut(in, packages)
	if err != nil {
		return part{}, err
	}
	d := b.describe(in, packages, arranged)
	return part{
		inputs: in, packages: packages, arranged: arranged, description: d, findings: findingsOf(in.pins.Arch, arranged, d),
	}, nil
}
