package closure

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
)

// Root is a file whose needed libraries are resolved.
type Root = elf.Root

const (
	// libraryFolder holds the modules of an image.
	libraryFolder = "lib/"
	// bundledFolder holds the libraries that the base lacks.
	bundledFolder = "system/"
)

// RootsOf returns the ELF files of an image's tree and, as own, those in its lib
// folder, which the dynamic loader may find there. object looks up the ELF file
// at a path of a package.
func RootsOf(tree filetree.Tree, object func(pkg, path string) (elf.Object, bool)) (roots []Root, own []elf.Provider) {
	for e := range tree.All() {
		file := e
		if e.Kind == filetree.Symlink {
			var ok bool
			if file, ok = tree.Resolve(e.Path); !ok {
				continue
			}
		}
		o, ok := object(file.Origin.Package, file.Origin.Path)
		if file.Kind != filetree.File || !ok {
			continue
		}
		if e.Kind == filetree.File {
			roots = append(roots, Root{Package: file.Origin.Package, Path: e.Path, Object: o})
		}
		if name, ok := strings.CutPrefix(e.Path, libraryFolder); ok && !strings.Contains(name, "/") {
			own = append(own, elf.Provider{Package: file.Origin.Package, Path: e.Path, SONAME: name, Object: o})
		}
	}
	return roots, own
}

// ExtraRoots returns a root that needs everything the recipe bundles: libraries,
// by SONAME, and every shared library among packages, each given as its ELF files
// by path. The root belongs to package pkg. It returns nil if nothing is bundled.
func ExtraRoots(arch, pkg string, libraries []string, packages []map[string]elf.Object) []Root {
	needed := slices.Clone(libraries)
	for _, objects := range packages {
		for file, o := range objects {
			if o.Type == "dyn" && o.SONAME != "" && strings.HasPrefix(file, "usr/lib/") {
				needed = append(needed, o.SONAME)
			}
		}
	}
	if len(needed) == 0 {
		return nil
	}
	slices.Sort(needed)
	return []Root{{
		Package: pkg, Path: "bundle",
		Object: elf.Object{Arch: arch, Type: "dyn", Needed: slices.Compact(needed)},
	}}
}

// Keep selects the files of a library package that an image may contain: shared
// libraries and the copyright file.
func Keep(e filetree.Entry) bool {
	name := path.Base(e.Path)
	return strings.HasSuffix(name, ".so") || strings.Contains(name, ".so.") ||
		name == "copyright" && strings.HasPrefix(e.Path, "usr/share/doc/")
}

// Locked returns the libraries of the base that a lock names, as providers that
// define any symbol version: resolution checked the versions.
func Locked(pins lock.Target) []elf.Provider {
	var out []elf.Provider
	for _, p := range pins.Base.Packages {
		for _, soname := range p.Libraries {
			out = append(out, elf.Provider{
				Package: p.Package, Path: soname, SONAME: soname,
				Object: elf.Object{Arch: pins.Arch, Type: "dyn", SONAME: soname},
			})
		}
	}
	return out
}

// Users maps the SONAME of each bundled library to the sorted paths in the image
// of the files that need it.
func Users(needs elf.Closure) map[string][]string {
	place := map[string]string{}
	for _, p := range needs.Bundled {
		place[p.Path] = bundledFolder + p.SONAME
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

// Interpreters returns a function that reports whether the lock names an
// interpreter of the base for the first line of a script.
func Interpreters(pins lock.Target) func(string) bool {
	known := map[string]bool{}
	for _, p := range pins.Base.Packages {
		for _, line := range p.Interpreters {
			known[line] = true
		}
	}
	return func(line string) bool { return known[line] }
}
