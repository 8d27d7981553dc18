package builder

import (
	"context"

	"github.com/pgext/pgext/internal/recipe"
)

// DryRun is Plan for those who only want to look. The pins are those that
// Plan gives; what apt adds beyond the base is told for locked targets too,
// unless the mode is Locked.
func (b *Builder) DryRun(ctx context.Context, r *recipe.Recipe, sel recipe.Selection, mode Mode) (*Plan, error) {
	p, err := b.Plan(ctx, r, sel, mode)
	if err != nil || mode == Locked {
		return p, err
	}
	for _, t := range p.Targets {
		for i, a := range t.Architectures {
			if a.Resolved != nil {
				continue
			}
			u, err := b.open(ctx, r, t.Target, a.Pins.Arch)
			if err != nil {
				return nil, err
			}
			s := &resolution{Builder: b, universe: u, recipe: r, target: t.Target, arch: a.Pins.Arch}
			if t.Architectures[i].Resolved, err = u.index.Install(u.base.Packages, s.wanted()); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}
