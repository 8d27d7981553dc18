package closure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
)

// Membership divides the packages that apt adds to the base. Each list is sorted
// by name.
type Membership struct {
	// Extension packages provide the files of the image: those the recipe names,
	// and extension packages of the same Debian source that they depend on.
	Extension []apt.Package
	// Foreign packages are extension packages of another Debian source that a
	// member depends on. Another image provides them.
	Foreign []apt.Package
	// Other packages may provide libraries or data.
	Other []apt.Package
}

// Members divides resolved, the packages that apt adds to the base in order to
// install named.
func Members(postgres int, named []string, resolved []apt.Package) Membership {
	prefix := fmt.Sprintf("postgresql-%d-", postgres)
	all := newPackageSet(resolved)
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
