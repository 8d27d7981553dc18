package builder

import (
	"context"
	"fmt"

	"github.com/pgext/pgext/internal/pgtest"
)

// Attended is an image with what it is tested with.
type Attended struct {
	Trial
	Company
}

// Upgrade tries the way from one image of an extension to another, each on its
// own operand. Where the recipe of the earlier one is not known, the archives
// and the script of to's serve both. to.Report hears of the checks.
func (b *Builder) Upgrade(ctx context.Context, from, to Attended) (pgtest.Result, error) {
	result, err := b.upgrade(ctx, from, to)
	if err != nil {
		return result, fmt.Errorf("testing the upgrade of %s for %s from %s: %w", to.Name, to.Metadata.Arch, from.Name, err)
	}
	return result, nil
}

func (b *Builder) upgrade(ctx context.Context, from, to Attended) (pgtest.Result, error) {
	if from.Recipe == nil {
		from.Recipe = to.Recipe
	}
	before, err := b.testInput(ctx, from.Trial, from.Company)
	if err != nil {
		return pgtest.Result{}, err
	}
	after, err := b.testInput(ctx, to.Trial, to.Company)
	if err != nil {
		return pgtest.Result{}, err
	}
	var noted []pgtest.Check
	if a, b := from.Metadata.Distro, to.Metadata.Distro; a != b {
		noted = append(noted, pgtest.Check{
			Name: "from distro", Status: pgtest.Note,
			Detail: fmt.Sprintf("the operand changes from %s to %s with the image", a, b),
		})
		if to.Report != nil {
			to.Report(noted[0])
		}
	}
	result, err := pgtest.Upgrade(ctx, before, after, pgtest.Options{Cache: b.o.Cache, Timeout: to.Timeout, Report: to.Report})
	result.Checks = append(noted, result.Checks...)
	return result, err
}
