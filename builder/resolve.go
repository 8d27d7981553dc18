package builder

import (
	"context"
	"slices"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

// resolution is a target on its way to its pins.
type resolution struct {
	universe
	recipe *recipe.Recipe
	target recipe.Target
	// files are the packages that the recipe brings along.
	files    []apt.Package
	resolved []apt.Package
	members  closure.Membership
	// packages are the extension's own, and those of data.
	packages []layout.Package
	// known is the data that bundled libraries turned out to need.
	known []lock.DataFolder
	// linked are the libraries that the recipe bundles by a name that only a
	// link has.
	linked []elf.Provider
	// interpreters are those of the base that scripts asked for.
	interpreters map[string]string
}

// newResolution opens the archives of a target and installs on its base what
// the recipe names, as apt would.
func (b *Builder) newResolution(ctx context.Context, r *recipe.Recipe, t recipe.Target, arch string) (*resolution, error) {
	if err := supported(r, t); err != nil {
		return nil, err
	}
	u, err := b.open(ctx, r, t, arch)
	if err != nil {
		return nil, b.elsewhere(ctx, t, arch, err)
	}
	s := &resolution{universe: u, recipe: r, target: t, interpreters: map[string]string{}}
	if s.files, err = s.vendorFiles(ctx); err != nil {
		return nil, err
	}
	if s.resolved, err = u.index.InstallFiles(u.base.Packages, s.files, s.wanted()); err != nil {
		return nil, b.elsewhere(ctx, t, arch, err)
	}
	return s, nil
}

// resolve decides what one architecture of a target is built from: the apt
// closure, the packages that are the extension, the libraries it must carry.
func (b *Builder) resolve(ctx context.Context, r *recipe.Recipe, t recipe.Target, arch string) (Architecture, error) {
	s, err := b.newResolution(ctx, r, t, arch)
	if err != nil {
		return Architecture{}, err
	}
	s.members = closure.Members(t.Postgres, s.named(), s.resolved)
	if len(s.members.Extension) == 0 {
		return Architecture{}, &InBaseError{Packages: s.named(), Base: s.base.Name}
	}
	if s.packages, err = s.read(ctx, s.members.Extension, layout.Extension); err != nil {
		return Architecture{}, err
	}
	result, err := s.close(ctx)
	if err != nil {
		return Architecture{}, err
	}
	findings := result.Findings(arch, s.index)
	if worst, _ := finding.Worst(findings); worst == finding.Error {
		return Architecture{}, &FindingsError{findings}
	}
	pins, err := s.pins(ctx, result)
	if err != nil {
		return Architecture{}, err
	}
	b.o.Log.Info("resolved", "recipe", r.Name, "target", pins.String(),
		"base", len(s.base.Packages), "beyond it", len(s.resolved), "pinned", len(pins.Packages), "bundled libraries", len(result.Bundled))
	if _, err := b.sound(ctx, inputs{r, t, pins}); err != nil {
		return Architecture{}, err // nobody wants to lock what cannot be built
	}
	return Architecture{Pins: pins, Resolved: s.resolved, Findings: findings}, nil
}

// wanted are the packages that the recipe names in any way.
func (s *resolution) wanted() []string {
	names := s.target.Packages(s.arch)
	bundle := s.target.BundleFor(s.arch)
	names = append(names, bundle.Packages...)
	for _, d := range bundle.Data {
		names = append(names, d.Package)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// close finds the libraries that the image must carry, then the data that they
// are known to read, then the libraries that ELF files among that data need,
// until nothing is new.
func (s *resolution) close(ctx context.Context) (closure.Result, error) {
	if err := s.link(ctx); err != nil {
		return closure.Result{}, err
	}
	extension := s.packages
	data, err := s.read(ctx, s.dataPackages(), layout.Data)
	if err != nil {
		return closure.Result{}, err
	}
	s.packages = append(slices.Clone(extension), data...)
	for {
		result, err := s.search(ctx)
		if err != nil {
			return closure.Result{}, err
		}
		more := s.newData(result)
		if len(more) == 0 {
			return result, nil
		}
		s.known = append(s.known, more...)
		if data, err = s.read(ctx, s.dataPackages(), layout.Data); err != nil {
			return closure.Result{}, err
		}
		s.packages = append(slices.Clone(extension), data...)
	}
}

// link finds the libraries that the recipe bundles by a name that only a link
// to them has.
func (s *resolution) link(ctx context.Context) error {
	named := s.target.BundleFor(s.arch).Libraries
	if len(named) == 0 {
		return nil
	}
	all, err := s.scan(ctx, s.members.Other)
	if err != nil {
		return err
	}
	for _, name := range named {
		if p, ok := closure.Linked(name, s.members.Other, all); ok && p.SONAME != name {
			s.linked = append(s.linked, p)
			s.known = append(s.known, closure.LinkedData(name, p))
		}
	}
	return nil
}

// newData is the data that the result's libraries are known to need, that is
// installed with the extension, and that was not thought of before.
func (s *resolution) newData(result closure.Result) []lock.DataFolder {
	bundled := slices.Concat(result.Bundled, s.linked)
	data := closure.Without(closure.WellKnown(s.arch, bundled), variables(s.recipe, s.target, s.arch))
	return slices.DeleteFunc(data, func(d lock.DataFolder) bool {
		return slices.Contains(s.known, d) ||
			!slices.ContainsFunc(s.resolved, func(p apt.Package) bool { return p.Name == d.Package })
	})
}

// dataPackages are those that data is taken from, by the recipe or because a
// library needs it.
func (s *resolution) dataPackages() []apt.Package {
	names := map[string]bool{}
	for _, d := range s.target.BundleFor(s.arch).Data {
		names[d.Package] = true
	}
	for _, d := range s.known {
		names[d.Package] = true
	}
	for _, p := range s.members.Extension {
		delete(names, p.Name)
	}
	return slices.DeleteFunc(slices.Clone(s.resolved), func(p apt.Package) bool { return !names[p.Name] })
}

// search finds the libraries that the image must carry as it is known by now.
func (s *resolution) search(ctx context.Context) (closure.Result, error) {
	in := s.layoutInput()
	in.Packages = s.packages
	roots, own, err := rootsOf(in)
	if err != nil {
		return closure.Result{}, err
	}
	extraRoots, err := s.extraRoots(ctx)
	if err != nil {
		return closure.Result{}, err
	}
	installed, known := s.base.Installed()
	return closure.Search(ctx, closure.Input{
		Arch: s.arch, Roots: append(roots, extraRoots...), Own: own,
		Members: s.members.Extension, Base: installed, Offered: s.members.Other,
		Known: known, Scan: s.scan,
	})
}

// extraRoots are the roots that stand for what the recipe bundles although no ELF
// file says so.
func (s *resolution) extraRoots(ctx context.Context) ([]closure.Root, error) {
	bundle := s.target.BundleFor(s.arch)
	var named []apt.Package
	for _, p := range s.resolved {
		if slices.Contains(bundle.Packages, p.Name) {
			named = append(named, p)
		}
	}
	all, err := s.scan(ctx, named)
	if err != nil {
		return nil, err
	}
	objects := make([]map[string]elf.Object, len(all))
	for i, c := range all {
		objects[i] = c.Objects
	}
	return closure.ExtraRoots(s.arch, s.members.Extension[0].Name, closure.Unlinked(bundle.Libraries, s.known), objects), nil
}

// read fetches packages and looks into them as layout will want it.
func (s *resolution) read(ctx context.Context, packages []apt.Package, role layout.Role) ([]layout.Package, error) {
	digests, err := s.fetchPackages(ctx, packages)
	if err != nil {
		return nil, err
	}
	wants := s.layoutInput()
	requests := make([]debinfo.Request, len(packages))
	for i, p := range packages {
		requests[i] = debinfo.Request{Name: p.Name, SHA256: digests[i], Keep: keep(wants, p.Name, role)}
	}
	all, err := s.contents.ScanAll(ctx, requests)
	if err != nil {
		return nil, err
	}
	out := make([]layout.Package, len(packages))
	for i, p := range packages {
		out[i] = layoutPackage(identity{p.Name, p.Version, p.Source, p.SourceVersion, p.Arch}, role, all[i])
	}
	return out, nil
}

// layoutInput is what layout gets beside the packages, as far as the pins are
// known. The interpreters that scripts ask for are noted, since the lock names
// those the base has.
func (s *resolution) layoutInput() layout.Input {
	in := inputs{s.recipe, s.target, lock.Target{Arch: s.arch, Data: s.known}}
	return in.layoutInput(func(line string) bool {
		p, ok := s.base.Interpreter(line)
		if ok {
			s.interpreters[line] = p.Name
		}
		return ok
	})
}

// supported refuses sources that cannot be resolved against archives.
func supported(r *recipe.Recipe, t recipe.Target) error {
	switch {
	case t.Source.PGXS != nil:
		return &UnsupportedError{r.Path, "source.pgxs"}
	case len(t.Source.Tree) > 0:
		return &UnsupportedError{r.Path, "source.tree"}
	}
	return nil
}

// named are the packages whose files are the extension, in the order of the
// recipe: those of the archives, then those of files.
func (s *resolution) named() []string {
	names := slices.Clone(s.target.Packages(s.arch))
	for _, p := range s.files {
		names = append(names, p.Name)
	}
	return names
}
