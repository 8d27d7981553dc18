package builder

import (
	"context"

	"github.com/pgext/pgext/internal/image"
)

// Parts carries the architectures of the plan's only target to their images.
func (b *Builder) Parts(ctx context.Context, p *Plan, tag string) ([]Built, error) {
	t := p.Targets[0]
	var out []Built
	for _, a := range t.Architectures {
		made, err := b.buildArchitecture(ctx, p.Recipe, t.Target, a.Pins)
		if err != nil {
			return nil, err
		}
		packages, err := b.Extract(ctx, p.Recipe, t.Target, a.Pins)
		if err != nil {
			return nil, err
		}
		out = append(out, Built{
			Recipe: p.Recipe, Target: t.Target, Pins: a.Pins, Packages: packages, Arranged: made.arranged,
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
	return image.At(image.Path(dist, p.Recipe.Image)).Write(ctx, image.Output{Index: m.index, Tags: m.tags[:], Replace: true})
}

// Teller returns what makes the documents about the plan's only target.
func (b *Builder) Teller(ctx context.Context, p *Plan) (tell func() error, err error) {
	m, err := b.made(ctx, p)
	return func() error { _, err := b.tell(ctx, m); return err }, err
}

func (b *Builder) made(ctx context.Context, p *Plan) (made, error) {
	t := p.Targets[0]
	parts := make([]part, len(t.Architectures))
	if err := each(b.o.Jobs, len(parts), func(i int) (err error) {
		parts[i], err = b.buildArchitecture(ctx, p.Recipe, t.Target, t.Architectures[i].Pins)
		return err
	}); err != nil {
		return made{}, err
	}
	return b.join(p.Recipe, t.Target, parts)
}
