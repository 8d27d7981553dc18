package builder

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/base"
	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/contents"
	"github.com/pgext/pgext/internal/elfdep"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

// Extract looks into the packages that the pins name; their files open from
// the cache.
func (b *Builder) Extract(ctx context.Context, r *recipe.Recipe, t recipe.Target, pins lock.Target) ([]layout.Package, error) {
	wants := layoutInput(r, t, pins.Arch, pins.Data, nil)
	requests := make([]contents.Request, len(pins.Packages))
	for i, p := range pins.Packages {
		requests[i] = contents.Request{SHA256: p.SHA256, Keep: keep(wants, p.Package, roles[p.Role])}
	}
	all, err := b.contents.ReadAll(ctx, requests)
	if err != nil {
		return nil, err
	}
	out := make([]layout.Package, len(all))
	for i, p := range pins.Packages {
		out[i] = layoutPackage(identity{p.Package, p.Version, p.Source, p.SourceVersion, p.Arch}, roles[p.Role], all[i])
	}
	return out, nil
}

var roles = map[lock.Role]layout.Role{
	lock.Extension: layout.Extension, lock.Library: layout.Library, lock.Data: layout.Data,
}

// keep is what layout may open of a package. Which libraries of a package are
// bundled is known only when all have been looked into.
func keep(wants layout.Input, pkg string, role layout.Role) contents.Keep {
	return func(e filetree.Entry) bool {
		return role == layout.Library && closure.Keep(e) || wants.Wants(pkg, role, e.Path)
	}
}

// Layout arranges the image: a first time for the files of the extension
// alone, whose needs decide which libraries of the pinned packages join it.
func (b *Builder) Layout(r *recipe.Recipe, t recipe.Target, pins lock.Target, packages []layout.Package) (layout.Result, error) {
	in := layoutInput(r, t, pins.Arch, pins.Data, lockedInterpreters(pins))
	in.Packages = packages
	roots, own, err := rootsOf(in)
	if err != nil {
		return layout.Result{}, err
	}
	needs := elfdep.Close(elfdep.Input{
		Arch: pins.Arch, Roots: append(roots, forcedAgain(t, pins, packages)...), Own: own,
		Base: closure.Locked(pins), Offered: offered(packages),
	})
	if findings := (closure.Answer{Closure: needs}).Findings(pins.Arch, nil); len(findings) > 0 {
		return layout.Result{}, &FindingsError{findings}
	}
	in.Libraries, in.Siblings, in.NeededBy = needs.Bundled, len(needs.Siblings) > 0, neededBy(needs)
	for i, d := range in.Data {
		in.Data[i].NeededBy = closure.ReadBy(pins.Arch, d.From, needs.Bundled)
	}
	arranged, err := layout.Arrange(in)
	arranged.Findings = finding.Sort(append(arranged.Findings, closure.Outside(needs.Bundled)...))
	return arranged, err
}

// neededBy says which files of the image need each bundled library.
func neededBy(needs elfdep.Closure) map[string][]string {
	place := map[string]string{}
	for _, p := range needs.Bundled {
		place[p.Path] = "system/" + p.SONAME
	}
	out := map[string][]string{}
	for _, p := range needs.Bundled {
		for _, user := range needs.NeededBy[p.SONAME] {
			out[p.SONAME] = append(out[p.SONAME], cmp.Or(place[user], user))
		}
		slices.Sort(out[p.SONAME])
	}
	return out
}

// rootsOf are the ELF files of an image that bundles no library yet.
func rootsOf(in layout.Input) (roots []closure.Root, own []elfdep.Provider, err error) {
	extension, libraries, err := layout.Places(in)
	if err != nil {
		return nil, nil, err
	}
	objects := objectsOf(in.Packages)
	roots, own = closure.RootsOf(extension, objects)
	data, _ := closure.RootsOf(libraries, objects)
	return append(roots, data...), own, nil
}

// layoutInput is what layout gets beside the packages: data is what bundled
// libraries need, beside what the recipe brings itself.
func layoutInput(r *recipe.Recipe, t recipe.Target, arch string, data []lock.DataFolder, interpreter func(string) bool) layout.Input {
	in := layout.Input{
		Name: r.Name, Postgres: t.Postgres, Distro: t.Distro, Bitcode: r.Bitcode,
		KeepPaths: r.Rewrite == recipe.RewriteNone, Interpreter: interpreter,
		BaseHas: func(file string) bool { return base.HasControlFile(t.Postgres, file) },
	}
	for _, d := range t.BundleFor(arch).Data {
		in.Data = append(in.Data, layout.DataMapping{Package: d.Package, From: d.From, To: d.To})
	}
	for _, d := range data {
		in.Data = append(in.Data, layout.DataMapping{Package: d.Package, From: d.From, To: d.To, Reason: dataReason(d)})
	}
	return in
}

// dataReason says why data that the lock names is in the image.
func dataReason(d lock.DataFolder) string {
	if strings.HasPrefix(d.To, "system/") {
		return "library that the recipe bundles, under the name that it is opened by"
	}
	return "a bundled library reads it at run time"
}

// variables are those that the recipe sets itself.
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

// identity names a package.
type identity struct{ name, version, source, sourceVersion, arch string }

func layoutPackage(id identity, role layout.Role, c *contents.Contents) layout.Package {
	return layout.Package{
		Name: id.name, Version: id.version, Source: id.source, SourceVersion: id.sourceVersion, Arch: id.arch,
		Role: role, Control: c.Control, Scripts: c.Scripts, Tree: c.Tree, Objects: c.Objects,
	}
}

// objectsOf looks up ELF files among packages.
func objectsOf(packages []layout.Package) func(pkg, file string) (elfdep.Object, bool) {
	byName := map[string]map[string]elfdep.Object{}
	for _, p := range packages {
		byName[p.Name] = p.Objects
	}
	return func(pkg, file string) (elfdep.Object, bool) {
		o, ok := byName[pkg][file]
		return o, ok
	}
}

// offered are the libraries of the packages that may give one.
func offered(packages []layout.Package) []elfdep.Provider {
	var out []elfdep.Provider
	for _, p := range packages {
		if p.Role == layout.Extension {
			continue
		}
		for file, o := range p.Objects {
			if o.Type == "dyn" {
				out = append(out, elfdep.NewProvider(p.Name, file, o))
			}
		}
	}
	return out
}

// forcedAgain are the roots that stand for what the recipe bundles, as
// resolution had them.
func forcedAgain(t recipe.Target, pins lock.Target, packages []layout.Package) []closure.Root {
	bundle := t.BundleFor(pins.Arch)
	var named []map[string]elfdep.Object
	for _, p := range packages {
		if slices.Contains(bundle.Packages, p.Name) {
			named = append(named, p.Objects)
		}
	}
	return closure.Forced(pins.Arch, "recipe", closure.Unlinked(bundle.Libraries, pins.Data), named)
}

// lockedInterpreters reports which script lines the base has an interpreter
// for.
func lockedInterpreters(pins lock.Target) func(string) bool {
	known := map[string]bool{}
	for _, p := range pins.Base.Packages {
		for _, line := range p.Interpreters {
			known[line] = true
		}
	}
	return func(line string) bool { return known[line] }
}
