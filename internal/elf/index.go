package elf

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
)

// index finds providers by name.
type index struct {
	// tuple names the multiarch folder, "" when there is none.
	tuple string
	// fit are those of the right architecture, other the rest.
	fit, other map[string][]Provider
}

func newIndex(providers []Provider, arch string) index {
	ix := index{fit: map[string][]Provider{}, other: map[string][]Provider{}}
	if a, ok := debian.LookupArchitecture(arch); ok {
		ix.tuple = a.Tuple
	}
	for _, p := range providers {
		if p.SONAME == "" {
			p = NewProvider(p.Package, p.Path, p.Object)
		}
		if p.Object.Arch == arch {
			ix.fit[p.SONAME] = append(ix.fit[p.SONAME], p)
		} else {
			ix.other[p.SONAME] = append(ix.other[p.SONAME], p)
		}
	}
	return ix
}

// best returns the provider of name that goes before all others.
func (ix index) best(name string) (Provider, bool) {
	fit := ix.fit[name]
	if len(fit) == 0 {
		return Provider{}, false
	}
	return slices.MinFunc(fit, func(a, b Provider) int {
		return cmp.Or(
			cmp.Compare(ix.rank(a.Path), ix.rank(b.Path)),
			strings.Compare(a.Package, b.Package),
			strings.Compare(a.Path, b.Path),
		)
	}), true
}

// rank orders folders: multiarch, the plain library folders, all others.
func (ix index) rank(file string) int {
	dir := strings.TrimPrefix(path.Dir(file), "usr/")
	switch {
	case ix.tuple != "" && dir == "lib/"+ix.tuple:
		return 0
	case dir == "lib" || dir == "lib64":
		return 1
	}
	return 2
}
