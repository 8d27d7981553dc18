package builder

import (
	"context"
	"slices"

	"github.com/pgext/pgext/internal/base"
	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

// layoutFromPins fetches, extracts and lays out the packages that pins name.
func (b *Builder) layoutFromPins(ctx context.Context, in inputs) (archLayout, error) {
	if err := b.fetch(ctx, in); err != nil {
		return archLayout{}, err
	}
	packages, err := b.extract(ctx, in)
	if err != nil {
		return archLayout{}, err
	}
	wants := in.layoutInput(closure.Interpreters(in.pins))
	wants.Packages = packages
	roots, own, err := rootsOf(wants)
	if err != nil {
		return archLayout{}, err
	}
	needs := elf.Close(elf.Input{
		Arch: in.pins.Arch, Roots: append(roots, in.extraRoots(packages)...), Own: own,
		Base: closure.Locked(in.pins), Offered: offered(packages),
	})
	if findings := (closure.Result{Closure: needs}).Findings(in.pins.Arch, nil); len(findings) > 0 {
		return archLayout{}, &finding.FatalError{Findings: findings}
	}
	laidOut, err := b.layOut(wants, in.pins.Arch, needs)
	if err != nil {
		return archLayout{}, err
	}
	return b.describe(in, packages, laidOut), nil
}

// layOut lays out the packages of an input with the libraries of a closure.
func (b *Builder) layOut(wants layout.Input, arch string, needs elf.Closure) (layout.Result, error) {
	wants.Libraries, wants.Siblings, wants.NeededBy = needs.Bundled, len(needs.Siblings) > 0, closure.Users(needs)
	for i, d := range wants.Data {
		wants.Data[i].NeededBy = closure.ReadBy(arch, d.From, needs.Bundled)
	}
	b.s.Log.Debug("laying out", "image", wants.Name, "arch", arch)
	out, err := layout.Arrange(wants)
	out.Findings = finding.Sort(append(out.Findings, closure.Outside(needs.Bundled)...))
	return out, err
}

// rootsOf are the ELF files of an image that bundles no library yet.
func rootsOf(in layout.Input) (roots []closure.Root, own []elf.Provider, err error) {
	extension, libraries, err := layout.Places(in)
	if err != nil {
		return nil, nil, err
	}
	objects := objectsOf(in.Packages)
	roots, own = closure.RootsOf(extension, objects)
	data, _ := closure.RootsOf(libraries, objects)
	return append(roots, data...), own, nil
}

// layoutInput returns the input of layout other than the packages. interpreter
// reports whether the base has the interpreter of a script.
func (in inputs) layoutInput(interpreter func(line string) bool) layout.Input {
	r, t := in.recipe, in.target
	out := layout.Input{
		Name: r.Name, Postgres: t.Postgres, Distro: t.Distro, Bitcode: r.Bitcode,
		KeepPaths: r.Rewrite == recipe.RewriteNone, Interpreter: interpreter,
		BaseHas: func(file string) bool { return base.HasControlFile(t.Postgres, file) },
	}
	for _, d := range t.BundleFor(in.pins.Arch).Data {
		out.Data = append(out.Data, layout.DataMapping{Package: d.Package, From: d.From, To: d.To})
	}
	for _, d := range in.pins.Data {
		out.Data = append(out.Data, layout.DataMapping{Package: d.Package, From: d.From, To: d.To, Reason: closure.Reason(d)})
	}
	return out
}

// variables returns the environment variables that the recipe sets.
func variables(r *recipe.Recipe, t recipe.Target, arch string) []string {
	var out []string
	for _, e := range r.Env {
		out = append(out, e.Name)
	}
	for _, d := range t.BundleFor(arch).Data {
		out = append(out, d.Env)
	}
	return out
}

// objectsOf looks up ELF files among packages.
func objectsOf(packages []layout.Package) func(pkg, file string) (elf.Object, bool) {
	byName := map[string]map[string]elf.Object{}
	for _, p := range packages {
		byName[p.Name] = p.Objects
	}
	return func(pkg, file string) (elf.Object, bool) {
		o, ok := byName[pkg][file]
		return o, ok
	}
}

// offered are the libraries of the packages that may give one.
func offered(packages []layout.Package) []elf.Provider {
	var out []elf.Provider
	for _, p := range packages {
		if p.Role == lock.Extension {
			continue
		}
		for file, o := range p.Objects {
			if o.Type == "dyn" {
				out = append(out, elf.NewProvider(p.Name, file, o))
			}
		}
	}
	return out
}

// extraRoots are the roots that stand for what the recipe bundles, as resolution
// had them.
func (in inputs) extraRoots(packages []layout.Package) []closure.Root {
	bundle := in.target.BundleFor(in.pins.Arch)
	var named []map[string]elf.Object
	for _, p := range packages {
		if slices.Contains(bundle.Packages, p.Name) {
			named = append(named, p.Objects)
		}
	}
	return closure.ExtraRoots(in.pins.Arch, "recipe", closure.Unlinked(bundle.Libraries, in.pins.Data), named)
}
