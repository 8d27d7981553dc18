package builder

import (
	"slices"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/imagemeta"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

// describe adds labels, annotations and findings to a layout.
func (b *Builder) describe(in inputs, packages []layout.Package, laidOut layout.Result) archLayout {
	d := imagemeta.Describe(imagemeta.Input{
		Recipe: in.recipe, Target: in.target, Arch: in.pins.Arch, Main: MainPackage(in.target, in.pins.Arch, packages),
		Base:     metadata.Base{Name: in.pins.Base.Name, Postgres: in.pins.Base.Postgres},
		Requires: requirements(in.pins.Requires), Data: in.pins.Data, Layout: laidOut, Annotations: b.s.Annotations,
	})
	return archLayout{inputs: in, packages: packages, layout: laidOut, description: d, findings: findingsOf(in.pins.Arch, laidOut, d)}
}

// MainPackage returns the package that supplies version and description: the
// first of the recipe that is present, else the first extension package.
func MainPackage(t recipe.Target, arch string, packages []layout.Package) layout.Package {
	for _, name := range t.Packages(arch) {
		for _, p := range packages {
			if p.Name == name {
				return p
			}
		}
	}
	if i := slices.IndexFunc(packages, func(p layout.Package) bool { return p.Role == lock.Extension }); i >= 0 {
		return packages[i]
	}
	return packages[0]
}

func requirements(list []lock.Require) []metadata.Requirement {
	var out []metadata.Requirement
	for _, r := range list {
		out = append(out, metadata.Requirement{Extension: r.Extension, Module: r.Module, Package: r.Package, Image: r.Image})
	}
	return out
}

// findingsOf gathers what the steps found about one architecture.
func findingsOf(arch string, laidOut layout.Result, d imagemeta.Description) []finding.Finding {
	var out []finding.Finding
	for _, f := range append(laidOut.Findings, d.Findings...) {
		if f.Arch == "" {
			f.Arch = arch
		}
		out = append(out, f)
	}
	return finding.Sort(out)
}
