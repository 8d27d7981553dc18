package initrecipe

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/imagemeta"
	"github.com/pgext/pgext/internal/probe"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
	"github.com/pgext/pgext/layout"
)

// Ask describes what Probe and Classify look into.
type Ask struct {
	// Distro is a codename, Postgres a major; empty ones are the defaults of a
	// recipe.
	Distro   string
	Postgres int
	// Like is a recipe whose archives are used; nil means the distribution's
	// own, or Options.Archives.
	Like *recipe.Recipe
}

// prober looks into the packages of one distribution and PostgreSQL major.
type prober struct {
	s      *session.Session
	b      *builder.Builder
	like   *recipe.Recipe
	target recipe.Target
	// indexes are those of target.Archs.
	indexes []*apt.Index
}

// Probe finds out what a recipe for packages has to say. The names may lack
// postgresql-NN-. A package that no archive has is a *probe.UnknownError.
func (f *Finder) Probe(ctx context.Context, ask Ask, names []string) (probe.Facts, error) {
	p, err := f.newProber(ctx, ask)
	if err != nil {
		return probe.Facts{}, err
	}
	packages, err := probe.Resolve(p.indexes, p.target.Distro, p.target.Postgres, names)
	if err != nil {
		return probe.Facts{}, f.s.OtherDistros(ctx, p.target, p.target.Archs[0], err)
	}
	found, err := p.look(ctx, packages)
	if err != nil {
		return probe.Facts{}, err
	}
	return p.facts(ctx, found, probe.Name(packages[0], p.target.Postgres))
}

// newProber opens the archives for all architectures of the default target.
func (f *Finder) newProber(ctx context.Context, ask Ask) (*prober, error) {
	r := &recipe.Recipe{Path: "init", Name: "init", Image: "init", Rewrite: recipe.RewriteAuto}
	if ask.Like != nil {
		r.Path, r.Archives = ask.Like.Path, ask.Like.Archives
	}
	var sel recipe.Selection
	if ask.Distro != "" {
		sel.Distros = []string{ask.Distro}
	}
	if ask.Postgres != 0 {
		sel.Postgres = []int{ask.Postgres}
	}
	targets, err := r.Select(sel)
	if err != nil {
		return nil, err
	}
	p := &prober{s: f.s, b: f.b, like: r, target: targets[0]}
	p.indexes = make([]*apt.Index, len(p.target.Archs))
	err = session.Parallel(len(p.indexes), len(p.indexes), func(i int) error {
		u, err := f.s.Sources(ctx, r, p.target, p.target.Archs[i])
		if err != nil {
			return f.s.OtherDistros(ctx, p.target, p.target.Archs[i], err)
		}
		p.indexes[i] = u.Index
		return nil
	})
	return p, err
}

// recipe returns the recipe that names packages and nothing else.
func (p *prober) recipe(packages []string) *recipe.Recipe {
	r := *p.like
	r.Source = recipe.Source{Deb: &recipe.Deb{Packages: packages}}
	return &r
}

// looked has the information about packages that needs no download.
type looked struct {
	packages []string
	// resolution is that of the first architecture that has them all.
	resolution *builder.Resolution
	archs      []string
	lacking    []probe.Lack
}

// look resolves packages for every architecture of the target.
func (p *prober) look(ctx context.Context, packages []string) (looked, error) {
	l := looked{packages: packages}
	r := p.recipe(packages)
	t := p.target
	t.Source = r.Source
	var first error
	for i, arch := range t.Archs {
		s, err := p.resolveFor(ctx, r, t, i)
		if err == nil && l.resolution != nil {
			err = l.agrees(s)
		}
		if err != nil {
			if ctx.Err() != nil {
				return looked{}, ctx.Err()
			}
			first = cmp.Or(first, err)
			l.lacking = append(l.lacking, probe.Lack{Arch: arch, Reason: err.Error()})
			continue
		}
		if l.resolution == nil {
			l.resolution = s
		}
		l.archs = append(l.archs, arch)
	}
	if l.resolution == nil {
		return looked{}, first
	}
	if len(l.resolution.Members.Extension) == 0 {
		return looked{}, &builder.InBaseError{Packages: packages, Base: l.resolution.Sources.Base.Name}
	}
	return l, nil
}

// resolveFor resolves packages for one architecture of a target.
func (p *prober) resolveFor(ctx context.Context, r *recipe.Recipe, t recipe.Target, i int) (*builder.Resolution, error) {
	for _, name := range t.Packages(t.Archs[i]) {
		if _, ok := p.indexes[i].Candidate(name); !ok {
			return nil, &apt.UnknownError{Name: name}
		}
	}
	return p.b.Resolve(ctx, r, t, t.Archs[i])
}

// agrees refuses an architecture that has another version of the main package:
// one tag has one version.
func (l looked) agrees(other *builder.Resolution) error {
	own, _ := l.resolution.Sources.Index.Candidate(l.packages[0])
	theirs, _ := other.Sources.Index.Candidate(l.packages[0])
	a, b := debian.UpstreamVersion(own.Version), debian.UpstreamVersion(theirs.Version)
	if a != b {
		return fmt.Errorf("%s is %s there, and %s on %s", l.packages[0], b, a, l.resolution.Sources.Arch)
	}
	return nil
}

// facts finds out what the recipe called name has to say.
func (p *prober) facts(ctx context.Context, l looked, name string) (probe.Facts, error) {
	packages, arranged, err := l.resolution.ExtensionLayout(ctx)
	if err != nil {
		return probe.Facts{}, err
	}
	return p.factsOf(ctx, l, name, packages, arranged)
}

func (p *prober) factsOf(ctx context.Context, l looked, name string, packages []layout.Package, arranged layout.Result) (probe.Facts, error) {
	r := *l.resolution.Recipe
	r.Name, r.Image = name, name
	described := imagemeta.Describe(imagemeta.Input{
		Recipe: &r, Target: l.resolution.Target, Arch: l.resolution.Sources.Arch, Main: builder.MainPackage(l.resolution.Target, l.resolution.Sources.Arch, packages), Layout: arranged,
	})
	return probe.Find(probe.Input{
		Name: name, Packages: l.packages, Distro: l.resolution.Target.Distro, Postgres: l.resolution.Target.Postgres,
		Archs: l.archs, Lacking: l.lacking, Archives: p.archives(),
		Members: packages, Arranged: arranged, Create: described.Metadata.Create,
		Library: func(name string) (string, bool, error) { return l.holder(ctx, name) },
	})
}

// archives are those that the recipe has to name: the recipe's they were taken
// from, or those of the command line when they are not the distribution's own.
func (p *prober) archives() []recipe.Archive {
	if len(p.s.Archives) == 0 {
		return p.like.Archives
	}
	var out []recipe.Archive
	if !slices.Equal(p.s.Archives, archive.Defaults(p.target.Distro)) {
		for _, name := range p.s.Archives {
			out = append(out, recipe.Archive{Name: name})
		}
	}
	return out
}

// holder returns the package that brings a library of that file name along.
func (l looked) holder(ctx context.Context, name string) (string, bool, error) {
	all, err := l.resolution.Sources.Scan(ctx, l.resolution.Members.Other)
	if err != nil {
		return "", false, err
	}
	for i, c := range all {
		for e := range c.Tree.Under("usr/lib").All() {
			if path.Base(e.Path) == name {
				return l.resolution.Members.Other[i].Name, true, nil
			}
		}
	}
	return "", false, nil
}
