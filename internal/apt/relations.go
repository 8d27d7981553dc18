package apt

import (
	"slices"

	"github.com/pgext/pgext/internal/debian"
)

// kind is the kind of a relation.
type kind uint8

const (
	depends kind = iota
	conflicts
	breaks
)

// group is one element of a relation field: the alternatives of a dependency, or one
// conflict.
type group struct {
	kind    kind
	targets []target
}

// target is one relation of a group.
type target struct {
	relation debian.Relation
	parent   *version
	negative bool
}

func (g group) negative() bool { return g.kind != depends }

// verb returns the kind as a verb for messages.
func (g group) verb() string {
	switch g.kind {
	case conflicts:
		return "conflicts with"
	case breaks:
		return "breaks"
	}
	return "depends on"
}

// groups returns the relations that count, in apt's order. A field that
// cannot be parsed has none.
func (v *version) groups() []group {
	if v.read {
		return v.group
	}
	v.read = true
	for _, f := range [...]struct {
		kind kind
		text string
	}{
		{depends, v.pkg.PreDepends},
		{depends, v.pkg.Depends},
		{conflicts, v.pkg.Conflicts},
		{breaks, v.pkg.Breaks},
	} {
		for _, alternatives := range parseRelations(f.text) {
			g := group{kind: f.kind}
			for _, r := range alternatives {
				g.targets = append(g.targets, target{r, v, g.negative()})
			}
			v.group = append(v.group, g)
		}
	}
	return v.group
}

// weak returns the relations that keep a package from being superfluous
// without being necessary.
func (v *version) weak() []debian.Alternatives {
	return append(parseRelations(v.pkg.Recommends), parseRelations(v.pkg.Suggests)...)
}

func parseRelations(text string) []debian.Alternatives {
	if text == "" {
		return nil
	}
	alternatives, err := debian.ParseRelations(text)
	if err != nil {
		return nil
	}
	return alternatives
}

// offer is a version that answers to a name: its own, or one it provides.
type offer struct {
	version *version
	// as is the version it has under that name; empty for a provided name
	// without one, which fits only relations that ask for none.
	as string
}

// offerKey is a name with the qualifier of a relation.
type offerKey struct{ name, arch string }

// offersFor returns who answers to a relation's name. The qualifier "any"
// finds only packages that are Multi-Arch: allowed; there is no foreign
// architecture here.
func (s *solver) offersFor(r debian.Relation) []offer {
	key := offerKey{r.Name, r.Arch}
	if key.arch == "native" || key.arch == s.ix.arch {
		key.arch = ""
	}
	if found, ok := s.offers[key]; ok {
		return found
	}
	var out []offer
	if key.arch == "" || key.arch == "any" {
		for _, v := range s.unit(key.name).versions {
			if key.arch == "" || v.pkg.MultiArch == "allowed" {
				out = append(out, offer{v, v.pkg.Version})
			}
		}
		for _, v := range s.providers(key.name) {
			out = v.appendProvided(out, key)
		}
	}
	s.offers[key] = out
	return out
}

// providers returns all versions whose Provides field has the name.
func (s *solver) providers(name string) []*version {
	var out []*version
	for i, t := range s.ix.tables {
		t.providers(name, func(n int) {
			if v := s.versionAt(row{i, n}); v != nil {
				out = append(out, v)
			}
		})
	}
	return append(out, s.strangers...)
}

// appendProvided appends what v provides under a name. Only "=" is allowed in
// Provides (Policy 7.5).
func (v *version) appendProvided(out []offer, key offerKey) []offer {
	for _, alternatives := range parseRelations(v.pkg.Provides) {
		for _, p := range alternatives {
			if p.Name != key.name || (p.Op != "" && p.Op != "=") {
				continue
			}
			if p.Arch == key.arch || key.arch == "any" && p.Arch == "" && v.pkg.MultiArch == "allowed" {
				out = append(out, offer{v, p.Version})
			}
		}
	}
	return out
}

// pick reports which version of a unit is looked at.
type pick func(*unit) *version

func planned(u *unit) *version   { return u.planned }
func current(u *unit) *version   { return u.current }
func candidate(u *unit) *version { return u.candidate }

// matches returns the picked versions that the target's relation fits. A
// package's own name in its Conflicts or Breaks never means itself.
func (s *solver) matches(t target, of pick) []*version {
	var out []*version
	for _, o := range s.offersFor(t.relation) {
		if s.fits(t, o) && of(o.version.unit) == o.version && !slices.Contains(out, o.version) {
			out = append(out, o.version)
		}
	}
	return out
}

func (s *solver) fits(t target, o offer) bool {
	if t.negative && o.version.unit == t.parent.unit {
		return false
	}
	return t.relation.SatisfiedBy(o.as)
}

// anyMatch is whether matches would return something.
func (s *solver) anyMatch(t target, of pick) bool {
	for _, o := range s.offersFor(t.relation) {
		if of(o.version.unit) == o.version && s.fits(t, o) {
			return true
		}
	}
	return false
}

// holds reports whether a group is satisfied by the picked versions: one
// alternative is there, or nothing of what it excludes.
func (s *solver) holds(g group, of pick) bool {
	for _, t := range g.targets {
		if s.anyMatch(t, of) != t.negative {
			return true
		}
	}
	return false
}

// holdsForNow reports whether candidates fulfil a positive group, as apt sees
// it: it looks at a relation again when the plan of something that answers to
// its name changes, and until then counts on a candidate that was given up.
func (s *solver) holdsForNow(g group) bool {
	for _, t := range g.targets {
		offers := s.offersFor(t.relation)
		looked := s.unit(t.relation.Name).changedAt
		for _, o := range offers {
			looked = max(looked, o.version.unit.changedAt)
		}
		for _, o := range offers {
			u := o.version.unit
			standing := u.candidate == o.version || u.discarded == o.version && u.discardedAt > looked
			if standing && s.fits(t, o) {
				return true
			}
		}
	}
	return false
}

// broken reports whether the planned version of a unit lacks something or
// meets something it excludes.
func (s *solver) broken(u *unit) bool {
	return u.planned != nil && slices.ContainsFunc(u.planned.groups(), func(g group) bool { return !s.holds(g, planned) })
}
