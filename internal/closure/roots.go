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

// Root is a file whose needs are to be met.
type Root = elf.Root

const (
	// libraryFolder is where an image has its modules.
	libraryFolder = "lib/"
	// bundledFolder is where it has the libraries that the base lacks.
	bundledFolder = "system/"
)

// RootsOf returns the ELF files of an image's tree and, of these, the ones in
// its lib folder, which the loader may find there. object looks up the ELF
// file at a path of a package.
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

// Forced returns the roots that need what the recipe bundles: libraries by
// SONAME, and every shared library among packages, each the ELF files of one by
// path. pkg is the package they count under.
func Forced(arch, pkg string, libraries []string, packages []map[string]elf.Object) []Root {
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

// Keep accepts the files of a library package that an image may be given:
// shared libraries, and the copyright.
func Keep(e filetree.Entry) bool {
	name := path.Base(e.Path)
	return strings.HasSuffix(name, ".so") || strings.Contains(name, ".so.") ||
		name == "copyright" && strings.HasPrefix(e.Path, "usr/share/doc/")
}

// Locked returns the libraries of the base that resolution found to satisfy a
// need, as providers that define any symbol version: that was checked then.
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

// Users says which files of the image need each bundled library, by its SONAME.
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

// Interpreters reports which script lines the base has an interpreter for, as
// resolution found.
func Interpreters(pins lock.Target) func(string) bool {
	known := map[string]bool{}
	for _, p := range pins.Base.Packages {
		for _, line := range p.Interpreters {
			known[line] = true
		}
	}
	return func(line string) bool { return known[line] }
}
