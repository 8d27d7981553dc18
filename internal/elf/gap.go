package elf

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
)

// Gap is a symbol version that is needed of a library and not defined by it.
// The loader refuses to start with one.
type Gap struct {
	Library, Version string
	NeededBy         []string
	// Provider is the file chosen for the library; the zero value when the
	// version is wanted of a library that nothing needs, so nothing loads it.
	Provider Provider
	// Highest is the highest version of the same family that the provider
	// defines, for example GLIBC_2.36; "" when it has none.
	Highest string
}

// gaps checks the versions that all visited files need. A provider that
// defines no version at all satisfies any: the loader only warns. Versions of
// a missing library are not worth telling.
func (w *walk) gaps() []Gap {
	found := map[[2]string]*Gap{}
	for _, r := range w.visited {
		for _, n := range r.Object.Versions {
			p, needed := w.resolved[n.Library]
			if needed && p == nil {
				continue
			}
			for _, v := range n.Versions {
				if p != nil && w.defines(n.Library, v, p) {
					continue
				}
				g := found[[2]string{n.Library, v}]
				if g == nil {
					g = newGap(n.Library, v, p)
					found[[2]string{n.Library, v}] = g
				}
				g.NeededBy = append(g.NeededBy, r.Path)
			}
		}
	}
	var out []Gap
	for _, g := range found {
		slices.Sort(g.NeededBy)
		g.NeededBy = slices.Compact(g.NeededBy)
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b Gap) int {
		return cmp.Or(strings.Compare(a.Library, b.Library), debian.CompareVersions(a.Version, b.Version), strings.Compare(a.Version, b.Version))
	})
	return out
}

// defines reports whether p, chosen for library, satisfies version.
func (w *walk) defines(library, version string, p *Provider) bool {
	set := w.defined[library]
	if set == nil {
		set = make(map[string]bool, len(p.Object.Defines))
		for _, v := range p.Object.Defines {
			set[v] = true
		}
		w.defined[library] = set
	}
	return len(set) == 0 || set[version]
}

func newGap(library, version string, p *Provider) *Gap {
	g := &Gap{Library: library, Version: version}
	if p != nil {
		g.Provider, g.Highest = *p, highest(p.Object.Defines, version)
	}
	return g
}

// highest returns the highest of versions that belongs to the same family as
// like: GLIBCXX_3.4.30 for GLIBCXX_3.4.33.
func highest(versions []string, like string) string {
	prefix := family(like)
	best := ""
	for _, v := range versions {
		number, ok := strings.CutPrefix(v, prefix)
		if !ok || prefix == "" || number == "" || !isDigit(number[0]) {
			continue
		}
		if best == "" || debian.CompareVersions(number, strings.TrimPrefix(best, prefix)) > 0 {
			best = v
		}
	}
	return best
}

// family returns what goes before the number of a version, "GLIBC_" also for
// ones like GLIBC_ABI_DT_RELR that have no number.
func family(version string) string {
	for i := 1; i < len(version); i++ {
		if version[i-1] == '_' && isDigit(version[i]) {
			return version[:i]
		}
	}
	return version[:strings.IndexByte(version, '_')+1]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
