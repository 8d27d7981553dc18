package builder

import "context"

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
