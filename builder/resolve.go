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
	"github.com/pgext/pgext/internal/session"
	"github.com/pgext/pgext/layout"
)

// Resolution is one architecture of a target with the packages that it needs.
type Resolution struct {
	b       *Builder
	Sources session.Sources
	Recipe  *recipe.Recipe
	Target  recipe.Target
	// files are the vendor packages of the recipe.
	files []apt.Package
	// Resolved are the packages beyond the base, sorted by name.
	Resolved []apt.Package
	// Members are the packages of Resolved with the files of the extension.
	Members closure.Membership
	// packages are the members and the data packages.
	packages []layout.Package
	// known is the data that bundled libraries need.
	known []lock.DataFolder
	// linked are the libraries that the recipe bundles by the name of a link.
	linked []elf.Provider
}

// Resolve opens the archives of a target and selects the packages that apt would
// install on its base for the recipe.
func (b *Builder) Resolve(ctx context.Context, r *recipe.Recipe, t recipe.Target, arch string) (*Resolution, error) {
	if err := supported(r, t); err != nil {
		return nil, err
	}
	sources, err := b.s.Sources(ctx, r, t, arch)
	if err != nil {
		return nil, b.s.OtherDistros(ctx, t, arch, err)
	}
	s := &Resolution{b: b, Sources: sources, Recipe: r, Target: t}
	if s.files, err = s.vendorFiles(ctx); err != nil {
		return nil, err
	}
	if s.Resolved, err = sources.Index.InstallFiles(sources.Base.Packages, s.files, s.wanted()); err != nil {
		return nil, b.s.OtherDistros(ctx, t, arch, err)
	}
	s.Members = closure.Members(t.Postgres, s.named(), s.Resolved)
	return s, nil
}

// resolve decides what one architecture of a target is built from: the apt
// closure, the packages that are the extension, the libraries it must carry.
func (b *Builder) resolve(ctx context.Context, r *recipe.Recipe, t recipe.Target, arch string) (Architecture, error) {
	s, err := b.Resolve(ctx, r, t, arch)
	if err != nil {
		return Architecture{}, err
	}
	if len(s.Members.Extension) == 0 {
		return Architecture{}, &InBaseError{Packages: s.named(), Base: s.Sources.Base.Name}
	}
	if s.packages, err = s.Read(ctx, s.Members.Extension, lock.Extension); err != nil {
		return Architecture{}, err
	}
	result, err := s.close(ctx)
	if err != nil {
		return Architecture{}, err
	}
	findings := result.Findings(arch, s.Sources.Index)
	if worst, _ := finding.Worst(findings); worst == finding.Error {
		return Architecture{}, &finding.FatalError{Findings: findings}
	}
	l, err := s.lay(ctx, result)
	if err != nil {
		return Architecture{}, err
	}
	b.s.Log.Info("resolved", "recipe", r.Name, "target", l.pins.String(),
		"base", len(s.Sources.Base.Packages), "beyond it", len(s.Resolved), "pinned", len(l.pins.Packages), "bundled libraries", len(result.Bundled))
	if err := l.check(); err != nil {
		return Architecture{}, err // a lock that cannot be built is not written
	}
	return Architecture{Pins: l.pins, Resolved: s.Resolved, Findings: findings, layout: l}, nil
}

// wanted are the packages that the recipe names in any way.
func (s *Resolution) wanted() []string {
	names := s.Target.Packages(s.Sources.Arch)
	bundle := s.Target.BundleFor(s.Sources.Arch)
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
func (s *Resolution) close(ctx context.Context) (closure.Result, error) {
	if err := s.link(ctx); err != nil {
		return closure.Result{}, err
	}
	extension := s.packages
	data, err := s.Read(ctx, s.dataPackages(), lock.Data)
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
		if data, err = s.Read(ctx, s.dataPackages(), lock.Data); err != nil {
			return closure.Result{}, err
		}
		s.packages = append(slices.Clone(extension), data...)
	}
}

// link finds the libraries that the recipe bundles by a name that only a link
// to them has.
func (s *Resolution) link(ctx context.Context) error {
	named := s.Target.BundleFor(s.Sources.Arch).Libraries
	if len(named) == 0 {
		return nil
	}
	all, err := s.Sources.Scan(ctx, s.Members.Other)
	if err != nil {
		return err
	}
	for _, name := range named {
		if p, ok := closure.Linked(name, s.Members.Other, all); ok && p.SONAME != name {
			s.linked = append(s.linked, p)
			s.known = append(s.known, closure.LinkedData(name, p))
		}
	}
	return nil
}

// newData is the data that the result's libraries are known to need, that is
// installed with the extension, and that was not thought of before.
func (s *Resolution) newData(result closure.Result) []lock.DataFolder {
	bundled := slices.Concat(result.Bundled, s.linked)
	data := closure.Without(closure.WellKnown(s.Sources.Arch, bundled), variables(s.Recipe, s.Target, s.Sources.Arch))
	return slices.DeleteFunc(data, func(d lock.DataFolder) bool {
		return slices.Contains(s.known, d) ||
			!slices.ContainsFunc(s.Resolved, func(p apt.Package) bool { return p.Name == d.Package })
	})
}

// dataPackages returns the packages with data that the recipe names or a library
// needs.
func (s *Resolution) dataPackages() []apt.Package {
	names := map[string]bool{}
	for _, d := range s.Target.BundleFor(s.Sources.Arch).Data {
		names[d.Package] = true
	}
	for _, d := range s.known {
		names[d.Package] = true
	}
	for _, p := range s.Members.Extension {
		delete(names, p.Name)
	}
	return slices.DeleteFunc(slices.Clone(s.Resolved), func(p apt.Package) bool { return !names[p.Name] })
}

// search finds the libraries that the image must carry as it is known by now.
func (s *Resolution) search(ctx context.Context) (closure.Result, error) {
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
	installed, known := s.Sources.Base.Installed()
	return closure.Search(ctx, closure.Input{
		Arch: s.Sources.Arch, Roots: append(roots, extraRoots...), Own: own,
		Members: s.Members.Extension, Base: installed, Offered: s.Members.Other,
		Known: known, Scan: s.Sources.Scan,
	})
}

// extraRoots returns roots for libraries that the recipe bundles and no ELF file
// needs.
func (s *Resolution) extraRoots(ctx context.Context) ([]closure.Root, error) {
	bundle := s.Target.BundleFor(s.Sources.Arch)
	var named []apt.Package
	for _, p := range s.Resolved {
		if slices.Contains(bundle.Packages, p.Name) {
			named = append(named, p)
		}
	}
	all, err := s.Sources.Scan(ctx, named)
	if err != nil {
		return nil, err
	}
	objects := make([]map[string]elf.Object, len(all))
	for i, c := range all {
		objects[i] = c.Objects
	}
	return closure.ExtraRoots(s.Sources.Arch, s.Members.Extension[0].Name, closure.Unlinked(bundle.Libraries, s.known), objects), nil
}

// Read fetches packages and returns their contents as input of layout.
func (s *Resolution) Read(ctx context.Context, packages []apt.Package, role lock.Role) ([]layout.Package, error) {
	digests, err := s.Sources.Fetch(ctx, packages)
	if err != nil {
		return nil, err
	}
	wants := s.layoutInput()
	requests := make([]debinfo.Request, len(packages))
	for i, p := range packages {
		requests[i] = debinfo.Request{Name: p.Name, SHA256: digests[i], Keep: keep(wants, p.Name, role)}
	}
	all, err := s.b.s.Debs.ScanAll(ctx, requests)
	if err != nil {
		return nil, err
	}
	out := make([]layout.Package, len(packages))
	for i, p := range packages {
		out[i] = layoutPackage(identityOf(p), role, all[i])
	}
	return out, nil
}

// ExtensionLayout lays out the packages whose files are the extension, without
// libraries, and returns both.
func (s *Resolution) ExtensionLayout(ctx context.Context) ([]layout.Package, layout.Result, error) {
	packages, err := s.Read(ctx, s.Members.Extension, lock.Extension)
	if err != nil {
		return nil, layout.Result{}, err
	}
	in := s.layoutInput()
	in.Packages = packages
	result, err := layout.Arrange(in)
	return packages, result, err
}

// layoutInput returns the input of layout without packages.
func (s *Resolution) layoutInput() layout.Input {
	in := inputs{s.Recipe, s.Target, lock.Target{Arch: s.Sources.Arch, Data: s.known}}
	return in.layoutInput(func(line string) bool {
		_, ok := s.Sources.Base.Interpreter(line)
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
func (s *Resolution) named() []string {
	names := slices.Clone(s.Target.Packages(s.Sources.Arch))
	for _, p := range s.files {
		names = append(names, p.Name)
	}
	return names
}
