package closure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
)

// Membership divides the packages that apt adds beyond the base. Each list is
// sorted by name.
type Membership struct {
	// Extension packages give their files to the image: those the recipe
	// names, and extension packages of the same Debian source that they
	// depend on.
	Extension []apt.Package
	// Foreign extension packages are depended on by a member and come from
	// another Debian source: another image brings them.
	Foreign []apt.Package
	// Other packages may give a library or data.
	Other []apt.Package
}

// Members divides resolved, which apt adds beyond the base for named.
func Members(postgres int, named []string, resolved []apt.Package) Membership {
	prefix := fmt.Sprintf("postgresql-%d-", postgres)
	all := newUniverse(resolved)
	member, foreign := map[string]bool{}, map[string]bool{}
	queue := slices.Clone(named)
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		p, ok := all.byName[name]
		if !ok || member[name] {
			continue
		}
		member[name] = true
		for _, d := range all.depends(p) {
			switch {
			case !strings.HasPrefix(d.Name, prefix):
			case d.Source == p.Source:
				queue = append(queue, d.Name)
			default:
				foreign[d.Name] = true
			}
		}
	}
	var m Membership
	for _, p := range resolved {
		switch {
		case member[p.Name]:
			m.Extension = append(m.Extension, p)
		case foreign[p.Name]:
			m.Foreign = append(m.Foreign, p)
		case !strings.HasPrefix(p.Name, prefix):
			m.Other = append(m.Other, p)
		}
	}
	return m
}
