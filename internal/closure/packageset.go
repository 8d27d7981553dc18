package closure

import (
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debian"
)

// packageSet is a set of packages that are installed together. Every dependency
// resolves to packages of the set.
type packageSet struct {
	byName    map[string]apt.Package
	providers map[string][]string
}

func newPackageSet(lists ...[]apt.Package) packageSet {
	s := packageSet{byName: map[string]apt.Package{}, providers: map[string][]string{}}
	for _, list := range lists {
		for _, p := range list {
			s.byName[p.Name] = p
			for _, virtual := range relations(p.Provides) {
				s.providers[virtual[0].Name] = append(s.providers[virtual[0].Name], p.Name)
			}
		}
	}
	return s
}

// depends returns the packages of the set that satisfy the Pre-Depends and Depends
// of p, in the order of those fields. Dependencies on packages outside the set are
// left out.
func (s packageSet) depends(p apt.Package) []apt.Package {
	var out []apt.Package
	seen := map[string]bool{}
	add := func(name string) {
		if d, ok := s.byName[name]; ok && !seen[name] {
			seen[name] = true
			out = append(out, d)
		}
	}
	for _, field := range []string{p.PreDepends, p.Depends} {
		for _, alternatives := range relations(field) {
			for _, r := range alternatives {
				add(r.Name)
				for _, provider := range s.providers[r.Name] {
					add(provider)
				}
			}
		}
	}
	return out
}

// relations parses a dependency field of a package that apt has resolved. A field
// that cannot be parsed has no dependencies.
func relations(field string) []debian.Alternatives {
	if strings.TrimSpace(field) == "" {
		return nil
	}
	parsed, err := debian.ParseRelations(field)
	if err != nil {
		return nil
	}
	return parsed
}
