package closure

import (
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debian"
)

// universe is a set of packages that are installed together, so that every
// dependency leads to the package that satisfies it there.
type universe struct {
	byName    map[string]apt.Package
	providers map[string][]string
}

func newUniverse(lists ...[]apt.Package) universe {
	u := universe{byName: map[string]apt.Package{}, providers: map[string][]string{}}
	for _, list := range lists {
		for _, p := range list {
			u.byName[p.Name] = p
			for _, virtual := range relations(p.Provides) {
				u.providers[virtual[0].Name] = append(u.providers[virtual[0].Name], p.Name)
			}
		}
	}
	return u
}

// depends returns the packages of the universe that satisfy the Pre-Depends
// and Depends of p, in the order of those fields. Dependencies on packages
// outside the universe are left out.
func (u universe) depends(p apt.Package) []apt.Package {
	var out []apt.Package
	seen := map[string]bool{}
	add := func(name string) {
		if d, ok := u.byName[name]; ok && !seen[name] {
			seen[name] = true
			out = append(out, d)
		}
	}
	for _, field := range []string{p.PreDepends, p.Depends} {
		for _, alternatives := range relations(field) {
			for _, r := range alternatives {
				add(r.Name)
				for _, provider := range u.providers[r.Name] {
					add(provider)
				}
			}
		}
	}
	return out
}

// relations parses a dependency field that apt has accepted already; what
// does not parse counts as no dependency.
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
