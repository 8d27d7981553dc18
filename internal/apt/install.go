package apt

import (
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
)

// Install returns the packages, sorted by name, that
//
//	apt-get install --no-install-recommends NAMES
//
// adds to a system that has the installed ones; a newer version of an
// installed package is among them where something needs it. Names are real
// ones, or virtual ones with a single provider.
//
// What names no package is an *UnknownError, what cannot be had together an
// *UnsatisfiableError. So is a plan that would remove an installed package,
// which apt-get would propose.
func (ix *Index) Install(installed []Package, names []string) ([]Package, error) {
	return newSolver(ix, installed).install(names)
}

// install plans the names and returns what is new.
func (s *solver) install(names []string) (added []Package, err error) {
	requested, err := s.request(names)
	if err != nil {
		return nil, err
	}
	for _, u := range requested {
		u.fixed = true
		s.mark(u, request{byName: true})
	}
	for _, u := range requested {
		s.mark(u, request{byName: true, follow: true})
	}
	s.upgradeBroken()
	if err := s.check(requested); err != nil {
		return nil, err
	}
	s.sweep(requested)
	for u := range s.system {
		if u.planned != u.current {
			added = append(added, u.planned.pkg)
		}
	}
	slices.SortFunc(added, func(a, b Package) int { return strings.Compare(a.Name, b.Name) })
	return added, nil
}

// request finds the units of the names.
func (s *solver) request(names []string) ([]*unit, error) {
	var out []*unit
	for _, name := range names {
		u := s.unit(name)
		if len(u.versions) == 0 {
			providers := s.ix.Providers(name)
			if len(providers) != 1 {
				return nil, s.unknown(name, providers)
			}
			u = s.unit(providers[0].Name)
		}
		if !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out, nil
}

func (s *solver) unknown(name string, providers []Package) *UnknownError {
	e := &UnknownError{Name: name}
	for _, p := range providers {
		e.Providers = append(e.Providers, p.Name)
	}
	if len(providers) == 0 {
		e.Nearest = s.ix.Nearest(name, 5)
	}
	return e
}

// upgradeBroken upgrades installed packages that something new has broken.
func (s *solver) upgradeBroken() {
	for again := true; again; {
		again = false
		for _, u := range s.installed {
			if u.mode != install && s.broken(u) && s.mark(u, request{}) && u.mode == install {
				again = true
			}
		}
	}
}

// sweep takes new packages out of the plan again that nothing needs in the
// end: a choice may have brought them before it failed. As for apt's
// autoremover, being recommended or suggested is enough to stay.
func (s *solver) sweep(requested []*unit) {
	needed := make(map[*unit]bool)
	var todo []*version
	reach := func(v *version) {
		if v != nil && !needed[v.unit] {
			needed[v.unit] = true
			todo = append(todo, v)
		}
	}
	for _, u := range append(slices.Clone(s.installed), requested...) {
		reach(u.planned)
	}
	for u := range s.system {
		if u.essential || u.important {
			reach(u.planned)
		}
	}
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		s.eachNeed(v, reach)
	}
	for _, u := range s.touched {
		if u.isNew() && !needed[u] {
			s.plan(u, keep, nil)
		}
	}
}

// eachNeed calls fn with the planned versions that fit a relation of v.
func (s *solver) eachNeed(v *version, fn func(*version)) {
	follow := func(t target) {
		for _, found := range newestOfSource(s.matches(t, planned)) {
			fn(found)
		}
	}
	for _, g := range v.groups() {
		if !g.negative() {
			for _, t := range g.targets {
				follow(t)
			}
		}
	}
	for _, alternatives := range v.weak() {
		for _, r := range alternatives {
			follow(target{relation: r, parent: v})
		}
	}
}

// newestOfSource leaves out packages of which another one is there that was
// built from a newer version of the same source package.
func newestOfSource(found []*version) []*version {
	if len(found) < 2 {
		return found
	}
	return slices.DeleteFunc(slices.Clone(found), func(v *version) bool {
		return slices.ContainsFunc(found, func(w *version) bool {
			return v.pkg.Source == w.pkg.Source && debian.CompareVersions(v.pkg.SourceVersion, w.pkg.SourceVersion) < 0
		})
	})
}
