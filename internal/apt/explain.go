package apt

import (
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
)

// check returns why the plan cannot be carried out, nil when it can.
func (s *solver) check(requested []*unit) error {
	failed := func(u *unit) bool { return u.planned == nil || s.broken(u) }
	for u := range s.system {
		if s.broken(u) {
			return s.explain(u, requested)
		}
	}
	for _, u := range append(slices.Clone(requested), s.installed...) {
		if failed(u) {
			return s.explain(u, requested)
		}
	}
	return nil
}

// step is a version on the way from a requested one to what is wrong.
type step struct {
	version *version
	from    *step
	by      string // "a depends on b"
}

// explain looks for the shortest chain of relations that leads from a
// requested unit to what is missing or in the way.
func (s *solver) explain(culprit *unit, requested []*unit) error {
	queue := make([]*step, 0, len(requested))
	seen := make(map[*version]bool)
	push := func(n *step) {
		if !seen[n.version] {
			seen[n.version] = true
			queue = append(queue, n)
		}
	}
	for _, u := range requested {
		push(&step{version: u.wanted()})
	}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		if reason, conflict := s.reason(n.version); reason != "" {
			return n.failure(reason, conflict)
		}
		for _, g := range n.version.groups() {
			if g.negative() {
				continue
			}
			for _, v := range s.ways(g) {
				push(&step{version: v, from: n, by: n.version.unit.name + " " + g.verb() + " " + g.String()})
			}
		}
	}
	return &UnsatisfiableError{Name: culprit.name, Chain: []string{
		"no choice among the alternatives of its dependencies was found that fits",
	}}
}

// failure makes the error of a chain that ends with reason.
func (n *step) failure(reason string, conflict bool) *UnsatisfiableError {
	e := &UnsatisfiableError{Chain: []string{reason}, Conflict: conflict}
	for ; n.from != nil; n = n.from {
		e.Chain = append(e.Chain, n.by)
	}
	slices.Reverse(e.Chain)
	e.Name = n.version.unit.name
	return e
}

// wanted is the version of a requested unit that was tried.
func (u *unit) wanted() *version {
	if u.planned != nil {
		return u.planned
	}
	return u.versions[0]
}

// standing is the version of a unit in the plan, or before it.
func standing(u *unit) *version {
	if u.planned != nil {
		return u.planned
	}
	return u.current
}

// newest is the version that could be had of a unit.
func newest(u *unit) *version {
	if len(u.versions) == 0 {
		return nil
	}
	return u.versions[0]
}

// ways returns the versions that could fulfil a group, those of the plan
// first.
func (s *solver) ways(g group) []*version {
	var out []*version
	for _, of := range []pick{standing, newest} {
		for _, t := range g.targets {
			out = append(out, s.matches(t, of)...)
		}
	}
	return out
}

// reason describes what of v itself cannot be fulfilled, "" when nothing, and
// whether something is in its way.
func (s *solver) reason(v *version) (why string, conflict bool) {
	for _, g := range v.groups() {
		if g.negative() {
			if met := s.met(g.targets[0], v); met != nil {
				return v.unit.name + " " + g.verb() + " " + g.String() + s.presence(met), true
			}
			continue
		}
		if len(s.ways(g)) == 0 {
			return v.unit.name + " " + g.verb() + " " + g.String() + ", but " + s.lack(g), false
		}
	}
	for u := range s.system {
		if u == v.unit {
			continue
		}
		for _, g := range u.planned.groups() {
			if g.negative() && s.excludes(g.targets[0], v) {
				return u.name + " " + g.verb() + " " + g.String() + s.presence(v), true
			}
		}
	}
	return "", false
}

// met returns what of the plan, or of the system before, a negative target
// excludes.
func (s *solver) met(t target, by *version) *version {
	for _, v := range s.matches(t, standing) {
		if v.unit != by.unit {
			return v
		}
	}
	return nil
}

func (s *solver) excludes(t target, v *version) bool {
	return slices.ContainsFunc(s.offersFor(t.relation), func(o offer) bool { return o.version == v && s.fits(t, o) })
}

// presence ends a sentence about an excluded version.
func (s *solver) presence(v *version) string {
	is := ", and " + v.unit.name + " " + v.pkg.Version + " is "
	if v.unit.current == v {
		return is + "installed"
	}
	return is + "needed too"
}

// lack reports why no package fits any alternative of a group.
func (s *solver) lack(g group) string {
	var parts []string
	for _, t := range g.targets {
		if p := s.lackOf(t.relation); !slices.Contains(parts, p) {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}

func (s *solver) lackOf(r debian.Relation) string {
	offers := s.offersFor(r)
	switch {
	case len(offers) > 0 && offers[0].version.unit.name == r.Name:
		p := offers[0].version.pkg
		return strings.TrimSpace(p.Archive+" "+p.Suite) + " has " + p.Version
	case len(offers) > 0:
		return r.Name + " is only provided by " + providerNames(offers)
	case len(s.unit(r.Name).versions) > 0:
		return r.Name + " is not for architecture " + r.Arch
	}
	return "no archive has " + r.Name
}

func providerNames(offers []offer) string {
	var names []string
	for _, o := range offers {
		name := o.version.unit.name
		if o.as != "" {
			name += " (" + o.as + ")"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// String returns the group as the field has it.
func (g group) String() string {
	var a debian.Alternatives
	for _, t := range g.targets {
		a = append(a, t.relation)
	}
	return a.String()
}
