package builder

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
)

// upgrade tries the way to an image from its predecessor, each with what it
// requires; with is what the image itself was tested with.
func (b *Builder) upgrade(ctx context.Context, a Attempt, with company) (pgtest.Result, error) {
	with.suite = nil
	switch {
	case a.From == nil:
		return pgtest.Result{}, nil
	case a.From.Why != "":
		skipped := pgtest.Check{Name: "from", Status: pgtest.Skip, Detail: a.From.Why}
		with.tell(skipped)
		return pgtest.Result{Checks: []pgtest.Check{skipped}}, nil
	}
	others, missing := a.From.required(a.Images)
	from := attended{a.From.Trial, company{others: others, missing: missing}}
	heirs := slices.DeleteFunc(slices.Clone(a.Images), func(t Trial) bool { return t.Metadata.Name == a.Metadata.Name })
	with.others, _ = a.heir().required(heirs)
	result, err := b.runUpgrade(ctx, from, attended{a.Trial, with})
	if err != nil {
		return result, fmt.Errorf("testing the upgrade of %s for %s from %s: %w", a.Name, a.Metadata.Arch, a.From.Name, err)
	}
	return result, nil
}

// heir is the image as one that requires what its predecessor had and it has
// not: an extension may have moved to another image.
func (a Attempt) heir() Trial {
	t := a.Trial
	t.Metadata.Requires = slices.Clone(t.Metadata.Requires)
	for _, e := range a.From.Metadata.Extensions {
		if r := (metadata.Requirement{Extension: e.Name}); !t.Metadata.Satisfies(r) {
			t.Metadata.Requires = append(t.Metadata.Requires, r)
		}
	}
	return t
}

// attended is an image with what it is tested with.
type attended struct {
	Trial
	company
}

// runUpgrade puts each image on its own operand. Where the recipe of the
// earlier one is not known, the archives and the script of to's serve both.
func (b *Builder) runUpgrade(ctx context.Context, from, to attended) (pgtest.Result, error) {
	if from.Recipe == nil {
		from.Recipe = to.Recipe
	}
	before, err := b.testInput(ctx, from.Trial, from.company)
	if err != nil {
		return pgtest.Result{}, err
	}
	after, err := b.testInput(ctx, to.Trial, to.company)
	if err != nil {
		return pgtest.Result{}, err
	}
	var noted []pgtest.Check
	if a, b := from.Metadata.Distro, to.Metadata.Distro; a != b {
		noted = append(noted, pgtest.Check{
			Name: "from distro", Status: pgtest.Note,
			Detail: fmt.Sprintf("the operand changes from %s to %s with the image", a, b),
		})
		to.tell(noted[0])
	}
	result, err := pgtest.Upgrade(ctx, before, after, pgtest.Options{Cache: b.o.Cache, Timeout: to.timeout, Report: to.report})
	result.Checks = append(noted, result.Checks...)
	return result, err
}
