package builder

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/elfdep"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/survey"
)

// Judge returns the findings about the targets of a plan, and makes nothing.
func (b *Builder) Judge(ctx context.Context, p *Plan) ([]finding.Finding, error) {
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

// Finished is one architecture of a finished image, to be judged against a
// base.
type Finished struct {
	Distro   string
	Postgres int
	// Arch is a Debian architecture.
	Arch string
	// Base is as in a recipe: cnpg-minimal or image:REF. A path in it is
	// relative to the working directory.
	Base string
	// Recipe names the archives; nil means the distribution's own.
	Recipe *recipe.Recipe
	// Roots are the ELF files of the image, Own those that the loader finds
	// in its folders.
	Roots []elfdep.Root
	Own   []elfdep.Provider
}

// JudgeFinished says which libraries and symbol versions the image does not
// find, in itself or in the base. The base is computed from the distribution's
// archives, or read from an operand image, which needs no archive.
func (b *Builder) JudgeFinished(ctx context.Context, f Finished) ([]finding.Finding, error) {
	u, err := b.operandOrArchives(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("judging against the base %s: %w", f.Base, err)
	}
	s := &resolution{Builder: b, universe: u, arch: f.Arch}
	packages, known := u.installed()
	answer, err := closure.Search(ctx, closure.Input{
		Arch: f.Arch, Roots: f.Roots, Own: f.Own, Base: packages, Known: known, Learn: s.learn,
	})
	if err != nil {
		return nil, fmt.Errorf("judging against the base %s: %w", f.Base, err)
	}
	return answer.Findings(f.Arch, u.index), nil
}

func (b *Builder) operandOrArchives(ctx context.Context, f Finished) (u universe, err error) {
	t := recipe.Target{Distro: f.Distro, Postgres: f.Postgres, Archs: []string{f.Arch}, Base: f.Base}
	r := cmp.Or(f.Recipe, &recipe.Recipe{Path: filepath.Join(".", "image")})
	if o, ok := operandOf(t.BaseFor(f.Arch), filepath.Dir(r.Path), f.Arch, f.Postgres); ok {
		u.base, err = b.operandBase(ctx, o)
		return u, err
	}
	return b.open(ctx, r, t, f.Arch)
}

// judgeLocked looks for them in what a lock relied upon in its base.
func judgeLocked(ctx context.Context, i survey.Image, pins lock.Target) ([]finding.Finding, error) {
	answer, err := closure.Search(ctx, closure.Input{Arch: i.Arch, Roots: i.Roots, Own: i.Own, Known: closure.Locked(pins)})
	return answer.Findings(i.Arch, nil), err
}
