package layout

import (
	"path"
	"slices"
	"strings"
)

// removeOne is the hint about colliding files.
const removeOne = "remove one of the packages from the recipe"

// resolveCollisions sorts the placements by place and marks all but the first of
// each place as duplicates. Different files for one place are a finding.
func (a *arrangement) resolveCollisions(placed []placement) []placement {
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
		p.duplicate = true
		if same(*first, *p) {
			p.reason = "same as in " + first.pkg.Name
			continue
		}
		a.find("PGX004", p.to, removeOne, "%s has /%s and %s has a different /%s", first.pkg.Name, first.path(), p.pkg.Name, p.path())
	}
	for i := range placed {
		for dir := path.Dir(placed[i].to); dir != "."; dir = path.Dir(dir) {
			if other := taken[dir]; other != nil && !placed[i].duplicate {
				a.find("PGX004", dir, removeOne, "%s has a file at this path, %s has a directory", other.pkg.Name, placed[i].pkg.Name)
			}
		}
	}
	return placed
}

// path returns the path in pkg: the link, or else the file.
func (p placement) path() string {
	if p.via != "" {
		return p.via
	}
	return p.source.Path
}

// same reports whether two placements have the same content or link target.
func same(x, y placement) bool {
	if x.link != "" || y.link != "" {
		return x.link == y.link
	}
	return x.source.SHA256 != "" && x.source.SHA256 == y.source.SHA256 && x.source.Size == y.source.Size
}
