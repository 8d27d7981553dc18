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
	// Tags are the moving tag and the immutable tag.
	Tags [2]string
	// Digest is the digest of the index, "sha256:" and hexadecimal digits.
	Digest string
	// Path is the OCI layout.
	Path     string
	Findings []finding.Finding
	// Unchanged is true if nothing had to be written.
	Unchanged bool
}

// Build builds the images of the targets of a plan in the folder dist. Existing
// valid images are neither built nor written again.
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

// buildTarget builds one target: the images of its architectures are joined to an
// index, documents are made, and all of it is written.
func (b *Builder) buildTarget(ctx context.Context, r *recipe.Recipe, t Target, dist string) (Image, error) {
	key := b.stampKey(r, t)
	if image, ok := b.current(r, t, key, dist); ok {
		b.s.Log.Info("nothing changed", "image", image.Name, "target", t.String(), "digest", image.Digest)
		return image, nil
	}
	parts := make([]archImage, len(t.Architectures))
	if err := session.Parallel(b.s.Jobs, len(parts), func(i int) (err error) {
		a := t.Architectures[i]
		if parts[i], err = b.buildArchitecture(ctx, r, t.Target, a); err != nil {
			return fmt.Errorf("%s: %w", a.Pins.Arch, err)
		}
		return nil
	}); err != nil {
		return Image{}, err
	}
	made, err := b.join(parts)
	if err != nil {
		return Image{}, err
	}
	documents, err := b.makeDocuments(ctx, made)
	if err != nil {
		return Image{}, err
	}
	return b.write(ctx, made, documents, key, dist)
}

// ArchImage resolves and builds one architecture of a target in memory. It writes
// neither a lock nor an image to disk.
func (b *Builder) ArchImage(ctx context.Context, r *recipe.Recipe, t recipe.Target, arch string) (v1.Image, metadata.Metadata, error) {
	a, err := b.resolve(ctx, r, t, arch)
	if err != nil {
		return nil, metadata.Metadata{}, err
	}
	p, err := b.buildArchitecture(ctx, r, t, a)
	return p.image, p.description.Metadata, err
}

// inputs are the inputs of the image of one architecture; the cache has the packages
// of the pins. Equal inputs give equal bytes.
type inputs struct {
	recipe *recipe.Recipe
	target recipe.Target
	pins   lock.Target
}

// archLayout is one architecture of a target, laid out: everything that its image
// is made from. Files are opened from the cache when they are read.
type archLayout struct {
	inputs
	// packages supply the files, in the order of the pins.
	packages    []layout.Package
	layout      layout.Result
	description imagemeta.Description
	findings    []finding.Finding
}

// check returns an error if the layout has findings of severity Error or invalid
// metadata.
func (a archLayout) check() error {
	if worst, _ := finding.Worst(a.findings); worst == finding.Error {
		return &finding.FatalError{Findings: a.findings}
	}
	return a.description.Metadata.Validate()
}

// archImage is the image of one architecture with all that it was made from.
type archImage struct {
	archLayout
	image v1.Image
	epoch time.Time
}

// layoutOf returns the layout of one architecture: the one that Plan made, or one
// made from the pins if the lock had them.
func (b *Builder) layoutOf(ctx context.Context, r *recipe.Recipe, t recipe.Target, a Architecture) (archLayout, error) {
	if a.layout != nil {
		return *a.layout, nil
	}
	return b.layoutFromPins(ctx, inputs{r, t, a.Pins})
}

// buildArchitecture builds the image of one architecture, unless its findings are
// errors.
func (b *Builder) buildArchitecture(ctx context.Context, r *recipe.Recipe, t recipe.Target, a Architecture) (archImage, error) {
	l, err := b.layoutOf(ctx, r, t, a)
	if err != nil {
		return archImage{}, err
	}
	return b.makeImage(ctx, l)
}
