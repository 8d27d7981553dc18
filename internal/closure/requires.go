package closure

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
)

// Other is an extension package of another Debian source, which another image
// has.
type Other struct {
	Package string
	// Extensions are those with a control file, Modules the loadable modules,
	// both sorted.
	Extensions, Modules []string
}

// OtherOf lists what the package with tree has for a PostgreSQL major.
func OtherOf(postgres int, pkg string, tree filetree.Tree) Other {
	o := Other{Package: pkg}
	control := fmt.Sprintf("usr/share/postgresql/%d/extension", postgres)
	modules := fmt.Sprintf("usr/lib/postgresql/%d/lib", postgres)
	for e := range tree.All() {
		dir, name := path.Split(e.Path)
		switch dir = strings.TrimSuffix(dir, "/"); {
		case dir == control && strings.HasSuffix(name, ".control") && !strings.Contains(name, "--"):
			o.Extensions = append(o.Extensions, strings.TrimSuffix(name, ".control"))
		case dir == modules && strings.HasSuffix(name, ".so"):
			o.Modules = append(o.Modules, strings.TrimSuffix(name, ".so"))
		}
	}
	return o
}

// Requires returns what other images must bring: the unmet extensions, which
// control files require and neither this image nor the base has, and for every
// package of others that brings none of these, its own main extension or
// module.
func Requires(postgres int, unmet []string, others []Other) []lock.Require {
	out := Named(postgres, unmet, others)
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

// Named returns the requirements that names stand for, extensions or
// module:NAME, with the package of others that has each.
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

// imageName is what `pgext init` calls the image of a package.
func imageName(postgres int, pkg string) string {
	return strings.TrimPrefix(pkg, fmt.Sprintf("postgresql-%d-", postgres))
}

// mainOf returns the name that is most like the image's: the same but for
// punctuation, else the longest that it starts with, else the shortest.
func mainOf(names []string, image string) string {
	plain := strings.NewReplacer("-", "", "_", "", ".", "").Replace
	return slices.MinFunc(names, func(a, b string) int {
		return cmp.Compare(unlike(plain(a), plain(image)), unlike(plain(b), plain(image)))
	})
}

// unlike is the smaller the more name is like image.
func unlike(name, image string) int {
	if rest, ok := strings.CutPrefix(image, name); ok {
		return len(rest)
	}
	return len(image) + len(name)
}
