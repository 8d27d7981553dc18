package builder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/inspect"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
)

// JudgeRecipe returns the findings about the selected targets of a recipe, and
// makes nothing. What stops the resolution is among the findings.
func (b *Builder) JudgeRecipe(ctx context.Context, r *recipe.Recipe, sel recipe.Selection) ([]finding.Finding, error) {
	p, err := b.Plan(ctx, r, sel, Keep)
	var findings []finding.Finding
	if err == nil {
		findings, err = b.judgePlan(ctx, p)
	}
	var stopped *FindingsError
	if errors.As(err, &stopped) {
		return stopped.Findings, nil
	}
	return findings, err
}

func (b *Builder) judgePlan(ctx context.Context, p *Plan) ([]finding.Finding, error) {
	var out []finding.Finding
	for _, t := range p.Targets {
		for _, a := range t.Architectures {
			arranged, err := b.arrange(ctx, inputs{p.Recipe, t.Target, a.Pins})
			if err != nil {
				return nil, fmt.Errorf("judging %s for %s/%s: %w", p.Recipe.Name, t, a.Pins.Arch, err)
			}
			out = append(out, a.Findings...)
			out = append(out, arranged.findings...)
		}
	}
	return finding.Sort(out), nil
}

// JudgeSurvey returns the findings about a finished image. Against a base, as in
// a recipe, what the image expects of it is judged instead of listed; "" judges
// against none.
func (b *Builder) JudgeSurvey(ctx context.Context, s inspect.Survey, base string) ([]finding.Finding, error) {
	if base == "" {
		return s.All(), nil
	}
	findings := s.Apart()
	for _, i := range s.Images {
		if len(i.Roots) == 0 {
			continue
		}
		more, err := b.judgeFinished(ctx, finished{distro: i.Distro, postgres: i.Postgres, arch: i.Arch, base: base, roots: i.Roots, own: i.Own})
		if err != nil {
			return nil, err
		}
		findings = append(findings, more...)
	}
	return finding.Sort(findings), nil
}

// finished is one architecture of a finished image, to be judged against a
// base.
type finished struct {
	distro   string
	postgres int
	// arch is a Debian architecture.
	arch string
	// base is as in a recipe: cnpg-minimal or image:REF. A path in it is
	// relative to the working directory.
	base string
	// recipe names the archives; nil means the distribution's own.
	recipe *recipe.Recipe
	// roots are the ELF files of the image, own those that the loader finds
	// in its folders.
	roots []elf.Root
	own   []elf.Provider
}

// judgeFinished says which libraries and symbol versions the image does not
// find, in itself or in the base. The base is computed from the distribution's
// archives, or read from an operand image, which needs no archive.
func (b *Builder) judgeFinished(ctx context.Context, f finished) ([]finding.Finding, error) {
	findings, err := b.judgeAgainst(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("judging against the base %s: %w", f.base, err)
	}
	return findings, nil
}

func (b *Builder) judgeAgainst(ctx context.Context, f finished) ([]finding.Finding, error) {
	t := recipe.Target{Distro: f.distro, Postgres: f.postgres, Archs: []string{f.arch}, Base: f.base}
	r := cmp.Or(f.recipe, &recipe.Recipe{Path: filepath.Join(".", "image")})
	in := closure.Input{Arch: f.arch, Roots: f.roots, Own: f.own}
	if o, ok := operandOf(t.BaseFor(f.arch), filepath.Dir(r.Path), f.arch, f.postgres); ok {
		known, err := b.operandBase(ctx, o)
		if err != nil {
			return nil, err
		}
		in.Base, in.Known = known.Installed()
		result, err := closure.Search(ctx, in)
		return result.Findings(f.arch, nil), err
	}
	u, err := b.open(ctx, r, t, f.arch)
	if err != nil {
		return nil, err
	}
	in.Base, in.Scan = u.base.Packages, u.scan
	result, err := closure.Search(ctx, in)
	return result.Findings(f.arch, u.index), err
}

// judgeLocked looks for them in what a lock relied upon in its base.
func judgeLocked(ctx context.Context, i inspect.Image, pins lock.Target) ([]finding.Finding, error) {
	result, err := closure.Search(ctx, closure.Input{Arch: i.Arch, Roots: i.Roots, Own: i.Own, Known: closure.Locked(pins)})
	return result.Findings(i.Arch, nil), err
}
