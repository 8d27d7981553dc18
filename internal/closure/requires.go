package closure

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/alternatives"
	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/lock"
)

// Other describes an extension package of another Debian source, whose files
// are in another image.
type Other struct {
	Package string
	// Extensions are those with a control file, Modules the loadable modules,
	// both sorted.
	Extensions, Modules []string
}

// OtherOf lists the extensions and modules that the packages of one image have
// for a PostgreSQL major, including control files that are only installed by
// update-alternatives. pkg is the package that the image is named after.
func OtherOf(postgres int, pkg string, all ...*debinfo.Info) Other {
	o := Other{Package: pkg}
	control := fmt.Sprintf("usr/share/postgresql/%d/extension", postgres)
	modules := fmt.Sprintf("usr/lib/postgresql/%d/lib", postgres)
	for file := range installed(all) {
		dir, name := path.Split(file)
		switch dir = strings.TrimSuffix(dir, "/"); {
		case dir == control && strings.HasSuffix(name, ".control") && !strings.Contains(name, "--"):
			o.Extensions = append(o.Extensions, strings.TrimSuffix(name, ".control"))
		case dir == modules && strings.HasSuffix(name, ".so"):
			o.Modules = append(o.Modules, strings.TrimSuffix(name, ".so"))
		}
	}
	slices.Sort(o.Extensions)
	slices.Sort(o.Modules)
	return o
}

// installed returns the set of installed paths of packages, relative to the
// root. The target of an alternative is listed under the path of the
// alternative.
func installed(all []*debinfo.Info) map[string]bool {
	files := map[string]bool{}
	for _, c := range all {
		for e := range c.Tree.All() {
			files[e.Path] = true
		}
	}
	for _, c := range all {
		links, _ := alternatives.Parse(c.Scripts["postinst"], map[string]string{
			"DPKG_MAINTSCRIPT_PACKAGE": c.Control.Get("Package"),
			"DPKG_MAINTSCRIPT_ARCH":    c.Control.Get("Architecture"),
		})
		for _, l := range links {
			if target := strings.TrimPrefix(l.Target, "/"); files[target] {
				delete(files, target)
				files[strings.TrimPrefix(l.Path, "/")] = true
			}
		}
	}
	return files
}

// Suppliers returns the packages of an index that are named after an SQL
// extension, or provide such a name, best match first. Only their files show
// which of them has the extension.
func Suppliers(ix *apt.Index, postgres int, extension string) []apt.Package {
	plain := strings.ReplaceAll(strings.ToLower(extension), "_", "-")
	short := strings.TrimPrefix(strings.TrimPrefix(plain, "pg"), "-")
	var out []apt.Package
	add := func(p apt.Package) {
		if !slices.ContainsFunc(out, func(o apt.Package) bool { return o.Name == p.Name }) {
			out = append(out, p)
		}
	}
	for _, name := range []string{plain, short, "pg" + short, "pg-" + short} {
		name = fmt.Sprintf("postgresql-%d-%s", postgres, name)
		if p, ok := ix.Candidate(name); ok {
			add(p)
		}
		for _, p := range ix.Providers(name) {
			add(p)
		}
	}
	return out
}

// Requires returns what other images must provide: the unmet extensions, which
// control files require and neither this image nor the base has, and for every
// package of others that has none of these its own main extension or module.
// others are packages that the image's packages depend on; suppliers are not,
// and only add the package that has an unmet extension.
func Requires(postgres int, unmet []string, others, suppliers []Other) []lock.Require {
	out := Named(postgres, unmet, slices.Concat(others, suppliers))
	for _, o := range others {
		if slices.ContainsFunc(out, func(r lock.Require) bool { return r.Package == o.Package }) {
			continue
		}
		r := lock.Require{Package: o.Package, Image: imageName(postgres, o.Package)}
		switch {
		case len(o.Extensions) > 0:
			r.Extension = mainOf(o.Extensions, r.Image)
		case len(o.Modules) > 0:
			r.Module = mainOf(o.Modules, r.Image)
		default:
			continue // documentation, or scripts of no extension
		}
		out = append(out, r)
	}
	return out
}

// Named returns the requirements for names, each an extension or module:NAME,
// with the package of others that has it.
func Named(postgres int, names []string, others []Other) []lock.Require {
	var out []lock.Require
	for _, name := range names {
		module, isModule := strings.CutPrefix(name, "module:")
		r := lock.Require{Extension: name}
		if isModule {
			r = lock.Require{Module: module}
		}
		for _, o := range others {
			if isModule && slices.Contains(o.Modules, module) || slices.Contains(o.Extensions, name) {
				r.Package, r.Image = o.Package, imageName(postgres, o.Package)
				break
			}
		}
		out = append(out, r)
	}
	return out
}

// imageName returns the name that `pgext init` gives the image of a package.
func imageName(postgres int, pkg string) string {
	return strings.TrimPrefix(pkg, fmt.Sprintf("postgresql-%d-", postgres))
}

// mainOf returns the name most similar to the image's: equal but for
// punctuation, else the longest that the image's name starts with, else the
// shortest.
func mainOf(names []string, image string) string {
	plain := strings.NewReplacer("-", "", "_", "", ".", "").Replace
	return slices.MinFunc(names, func(a, b string) int {
		return cmp.Compare(difference(plain(a), plain(image)), difference(plain(b), plain(image)))
	})
}

// difference is smaller for a name more similar to image.
func difference(name, image string) int {
	if rest, ok := strings.CutPrefix(image, name); ok {
		return len(rest)
	}
	return len(image) + len(name)
}
