package layout

import (
	"path"
	"slices"
	"strings"
)

// removeOne is the hint about files that are in each other's way.
const removeOne = "remove one of the packages from the recipe"

// settle sorts the placements by place and leaves one for each. Different
// files for one place are a finding; equal ones are only reported.
func (a *arrangement) settle(placed []placement) []placement {
	order := map[string]int{}
	for i, p := range a.packages {
		order[p.Name] = i
	}
	slices.SortStableFunc(placed, func(x, y placement) int {
		if c := strings.Compare(x.to, y.to); c != 0 {
			return c
		}
		return order[x.pkg.Name] - order[y.pkg.Name]
	})
	var first *placement
	taken := map[string]*placement{}
	for i := range placed {
		p := &placed[i]
		if first == nil || first.to != p.to {
			first = p
			taken[p.to] = p
			continue
		}
		p.spare = true
		if same(*first, *p) {
			p.reason = "the same as from " + first.pkg.Name
			continue
		}
		a.find("PGX004", p.to, removeOne, "%s has /%s and %s has a different /%s", first.pkg.Name, first.where(), p.pkg.Name, p.where())
	}
	for i := range placed {
		for dir := path.Dir(placed[i].to); dir != "."; dir = path.Dir(dir) {
			if other := taken[dir]; other != nil && !placed[i].spare {
				a.find("PGX004", dir, removeOne, "%s has a file there, and %s has files below it", other.pkg.Name, placed[i].pkg.Name)
			}
		}
	}
	return placed
}

// where is the path in pkg that the placement came from.
func (p placement) where() string {
	if p.via != "" {
		return p.via
	}
	return p.source.Path
}

// same reports whether two placements put the same thing at their place.
func same(x, y placement) bool {
	if x.link != "" || y.link != "" {
		return x.link == y.link
	}
	return x.source.SHA256 != "" && x.source.SHA256 == y.source.SHA256 && x.source.Size == y.source.Size
}
