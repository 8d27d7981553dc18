package judge

import (
	"context"
	"errors"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/inspect"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

// LintRecipe returns the findings about the selected targets of a recipe, and
// writes nothing. Findings that stop the resolution are included.
func LintRecipe(ctx context.Context, b *builder.Builder, r *recipe.Recipe, sel recipe.Selection) ([]finding.Finding, error) {
	p, err := b.Plan(ctx, r, sel, builder.Keep)
	var findings []finding.Finding
	if err == nil {
		findings, err = b.Findings(ctx, p)
	}
	var fatal *finding.FatalError
	if errors.As(err, &fatal) {
		return fatal.Findings, nil
	}
	return findings, err
}

// LintImage returns the findings about a finished image. If base is not "", the
// libraries that the image needs are checked against this base (see
// session.LibraryTarget) instead of being listed.
func LintImage(ctx context.Context, s *session.Session, survey inspect.Result, base string) ([]finding.Finding, error) {
	if base == "" {
		return survey.All(), nil
	}
	findings := survey.ExceptBase()
	for _, i := range survey.Images {
		if len(i.Roots) == 0 {
			continue
		}
		more, err := s.CheckLibraries(ctx, session.ELFFiles{Arch: i.Arch, Roots: i.Roots, Own: i.Own},
			session.LibraryTarget{Distro: i.Distro, Postgres: i.Postgres, Base: base})
		if err != nil {
			return nil, err
		}
		findings = append(findings, more...)
	}
	return finding.Sort(findings), nil
}
