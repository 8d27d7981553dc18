package closure

import (
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
)

// Linked returns the library that a file name resolves to, following links
// across packages. dlopen(3) takes a file name, which may be the link of a -dev
// package and differ from the SONAME. all holds the contents of packages, by
// index. Of several matches the one in the multiarch folder wins, which has the
// longest path. The Provider has the library's own SONAME.
func Linked(name string, packages []apt.Package, all []*debinfo.Info) (elf.Provider, bool) {
	var candidates []string
	var entries []filetree.Entry
	seen := map[string]bool{}
	objects := map[filetree.Origin]elf.Object{}
	for i, c := range all {
		for e := range c.Tree.All() {
			if !Keep(e) || seen[e.Path] {
				continue
			}
			seen[e.Path] = true
			e.Origin = filetree.Origin{Package: packages[i].Name, Path: e.Path}
			objects[e.Origin] = c.Objects[e.Path]
			entries = append(entries, e)
			if path.Base(e.Path) == name && strings.HasPrefix(e.Path, "usr/lib/") {
				candidates = append(candidates, e.Path)
			}
		}
	}
	world, err := filetree.New(entries)
	if err != nil {
		return elf.Provider{}, false
	}
	slices.SortFunc(candidates, func(a, b string) int { return len(b) - len(a) })
	for _, c := range candidates {
		if e, ok := world.Resolve(c); ok && objects[e.Origin].Type == "dyn" {
			return elf.NewProvider(e.Origin.Package, e.Origin.Path, objects[e.Origin]), true
		}
	}
	return elf.Provider{}, false
}

// LinkedData returns the data entry that puts a library into the image under the
// file name that modules open.
func LinkedData(name string, p elf.Provider) Data {
	return Data{Package: p.Package, From: p.Path, To: bundledFolder + name}
}

// Reason returns why data that the lock names is in the image, for the report.
func Reason(d Data) string {
	if strings.HasPrefix(d.To, bundledFolder) {
		return "library that the recipe bundles, under the name that it is opened by"
	}
	return "a bundled library reads it at run time"
}

// Unlinked returns the file names among libraries that data does not put into
// the image.
func Unlinked(libraries []string, data []lock.DataFolder) []string {
	return slices.DeleteFunc(slices.Clone(libraries), func(name string) bool {
		return slices.ContainsFunc(data, func(d lock.DataFolder) bool { return d.To == bundledFolder+name })
	})
}
