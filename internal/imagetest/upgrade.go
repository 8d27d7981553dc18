package imagetest

import (
	"context"
	"fmt"
	"slices"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
)

// upgrade tries the way to an image from its predecessor, each with what it
// requires; with is what the image itself was tested with.
func (ts *Tester) upgrade(ctx context.Context, a Request, with setup) (pgtest.Result, error) {
	with.suite = nil
	switch {
	case a.From == nil:
		return pgtest.Result{}, nil
	case a.From.Why != "":
		skipped := pgtest.Check{Name: "from", Status: pgtest.Skip, Detail: a.From.Why}
		with.tell(skipped)
		return pgtest.Result{Checks: []pgtest.Check{skipped}}, nil
	}
	others, missing := a.From.Required(a.Images)
	from := prepared{a.From.Subject, setup{others: others, missing: missing}}
	heirs := slices.DeleteFunc(slices.Clone(a.Images), func(t Subject) bool { return t.Metadata.Name == a.Metadata.Name })
	with.others, _ = a.heir().Required(heirs)
	result, err := ts.runUpgrade(ctx, from, prepared{a.Subject, with})
	if err != nil {
		return result, fmt.Errorf("testing the upgrade of %s for %s from %s: %w", a.Name, a.Metadata.Arch, a.From.Name, err)
	}
	return result, nil
}

// heir is the image as one that requires what its predecessor had and it has
// not: an extension may have moved to another image.
func (a Request) heir() Subject {
	t := a.Subject
	t.Metadata.Requires = slices.Clone(t.Metadata.Requires)
	for _, e := range a.From.Metadata.Extensions {
		if r := (metadata.Requirement{Extension: e.Name}); !t.Metadata.Satisfies(r) {
			t.Metadata.Requires = append(t.Metadata.Requires, r)
		}
	}
	return t
}

// prepared is an image with what it is tested with.
type prepared struct {
	Subject
	setup
}

// runUpgrade puts each image on its own operand. Where the recipe of the
// earlier one is not known, the archives and the script of to's serve both.
func (ts *Tester) runUpgrade(ctx context.Context, from, to prepared) (pgtest.Result, error) {
	if from.Recipe == nil {
		from.Recipe = to.Recipe
	}
	before, err := ts.testInput(ctx, from.Subject, from.setup)
	if err != nil {
		return pgtest.Result{}, err
	}
	after, err := ts.testInput(ctx, to.Subject, to.setup)
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
	result, err := pgtest.Upgrade(ctx, before, after, pgtest.Options{Cache: ts.s.Cache, Timeout: to.timeout, Report: to.report})
	result.Checks = append(noted, result.Checks...)
	return result, err
}
