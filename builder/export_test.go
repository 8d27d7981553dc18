package builder

import (
	"context"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/imagemeta"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
	"github.com/pgext/pgext/layout"
	"github.com/pgext/pgext/sbom"
)

// Built is one architecture's image with all that it was made from.
type Built struct {
	Recipe      *recipe.Recipe
	Target      recipe.Target
	Pins        lock.Target
	Packages    []layout.Package
	Arranged    layout.Result
	Description imagemeta.Description
	Image       v1.Image
	Epoch       time.Time
	// Tag is the one that moves.
	Tag string
}

func (in Built) part() archImage {
	return archImage{
		archLayout: archLayout{
			inputs: inputs{in.Recipe, in.Target, in.Pins}, packages: in.Packages, layout: in.Arranged, description: in.Description,
		},
		image: in.Image, epoch: in.Epoch,
	}
}

// Bill returns the bill of materials of what was built.
func (b *Builder) Bill(ctx context.Context, in Built) (sbom.Document, error) {
	return b.bill(ctx, in.part(), in.Tag)
}

// Provenance describes how it was built.
func (b *Builder) Provenance(in Built) (provenance.Statement, error) {
	return b.provenance(in.part(), in.Tag)
}

// Image makes one architecture's image.
func (b *Builder) Image(ctx context.Context, arch string, laidOut layout.Result, d imagemeta.Description) (v1.Image, time.Time, error) {
	out, err := b.makeImage(ctx, archLayout{inputs: inputs{pins: lock.Target{Arch: arch}}, layout: laidOut, description: d})
	return out.image, out.epoch, err
}

// Parts carries the architectures of the plan's only target to their images.
func (b *Builder) Parts(ctx context.Context, p *Plan, tag string) ([]Built, error) {
	t := p.Targets[0]
	var out []Built
	for _, a := range t.Architectures {
		made, err := b.buildArchitecture(ctx, p.Recipe, t.Target, a)
		if err != nil {
			return nil, err
		}
		out = append(out, Built{
			Recipe: p.Recipe, Target: t.Target, Pins: a.Pins, Packages: made.packages, Arranged: made.layout,
			Description: made.description, Image: made.image, Epoch: made.epoch, Tag: tag,
		})
	}
	return out, nil
}

// Bare builds the plan's only target, as Build does, without what is told about
// its image.
func (b *Builder) Bare(ctx context.Context, p *Plan, dist string) error {
	m, err := b.made(ctx, p)
	if err != nil {
		return err
	}
	return image.At(image.Path(dist, p.Recipe.Image)).Write(ctx, image.Output{Set: oci.Set{Index: m.index}, Tags: m.tags[:], Replace: true})
}

// DocumentMaker returns a function that makes the documents of the only target of
// the plan.
func (b *Builder) DocumentMaker(ctx context.Context, p *Plan) (makeDocuments func() error, err error) {
	m, err := b.made(ctx, p)
	return func() error { _, err := b.makeDocuments(ctx, m); return err }, err
}

func (b *Builder) made(ctx context.Context, p *Plan) (made, error) {
	t := p.Targets[0]
	parts := make([]archImage, len(t.Architectures))
	if err := session.Parallel(b.s.Jobs, len(parts), func(i int) (err error) {
		parts[i], err = b.buildArchitecture(ctx, p.Recipe, t.Target, t.Architectures[i])
		return err
	}); err != nil {
		return made{}, err
	}
	return b.join(parts)
}
