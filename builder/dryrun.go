package builder

import (
	"context"
	"fmt"

	"github.com/pgext/pgext/internal/recipe"
)

// DryRun returns the plan that Plan would return and writes nothing. Resolved is set
// for locked targets too, unless the mode is Locked.
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
			s, err := b.Resolve(ctx, r, t.Target, a.Pins.Arch)
			if err != nil {
				return nil, fmt.Errorf("planning %s for %s/%s: %w", r.Path, t, a.Pins.Arch, err)
			}
			t.Architectures[i].Resolved = s.Resolved
		}
	}
	return p, nil
}
