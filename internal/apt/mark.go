package apt

import "slices"

// maxDepth bounds the recursion of mark, as apt does.
const maxDepth = 3000

// request is how a unit comes to be marked.
type request struct {
	// follow reports that what the unit needs is marked too.
	follow bool
	// byName reports that the unit was asked for; it may be planned whatever it
	// meets.
	byName bool
	depth  int
}

func (r request) deeper() request { return request{follow: true, depth: r.depth + 1} }

// may reports whether the plan of u may change to m.
func (u *unit) may(m mode, r request) bool {
	switch {
	case r.depth > maxDepth || len(u.versions) == 0:
		return false
	case r.byName || u.mode == m:
		return true
	case u.fixed:
		return false
	}
	return m != remove || !u.essential && !u.important
}

// mark plans the candidate of u and, when r says so, all it needs. It returns
// false when that is impossible; u is then as before, but for what only
// apt's resolver would undo: packages that came along.
func (s *solver) mark(u *unit, r request) bool {
	alreadyThere := u.fixed && u.mode == keep && u.candidate != nil && u.candidate == u.current
	if !alreadyThere && !u.may(install, r) || u.candidate == nil {
		return false
	}
	if !u.fixed && !s.broken(u) {
		if u.candidate == u.current {
			return u.planned != nil || s.unmark(u, r)
		}
		if u.mode == install {
			return true
		}
	}
	if r.follow && !s.satisfiable(u) {
		return false
	}
	m := marking{solver: s, unit: u, version: u.candidate, request: r, propagate: u.fixed}
	return m.run()
}

// satisfiable reports whether each dependency of the candidate could be
// fulfilled by some candidate. Where one cannot, the candidate is given up,
// so that nothing tries it again.
func (s *solver) satisfiable(u *unit) bool {
	if u.candidate == u.current {
		return true
	}
	for _, g := range u.candidate.groups() {
		if g.negative() || s.holds(g, planned) || s.holdsForNow(g) {
			continue
		}
		if !u.fixed {
			s.discard(u, u.current)
			if u.mode != remove {
				u.mode = keep
			}
		}
		return false
	}
	return true
}

// unmark returns u to what the system has.
func (s *solver) unmark(u *unit, r request) bool {
	if !u.may(keep, r) {
		return false
	}
	if u.mode != keep {
		s.plan(u, keep, u.current)
	}
	return true
}

// drop plans u to be absent.
func (s *solver) drop(u *unit, r request) bool {
	if !u.may(remove, r) {
		return false
	}
	if u.mode == remove || u.planned == nil {
		return true
	}
	if !r.byName && u.isRequested() {
		return false
	}
	if u.current == nil {
		s.plan(u, keep, nil)
	} else {
		s.plan(u, remove, nil)
	}
	return true
}

// isRequested reports whether u is new and was asked for by name.
func (u *unit) isRequested() bool { return u.current == nil && u.planned != nil && !u.dependency }

// giveUp makes u what it was, without a candidate to try again.
func (s *solver) giveUp(u *unit) {
	if u.mode != keep || u.planned != u.candidate || u.candidate != u.current {
		s.plan(u, keep, u.current)
		s.discard(u, u.planned)
	}
}

// marking is one unit on its way into the plan.
type marking struct {
	*solver
	unit    *unit
	version *version
	request request
	// propagate reports that the unit is fixed, and with it whatever is the only
	// way to fulfil its relations.
	propagate bool

	needs, excludes   []group
	upgrades, removes []*unit
}

// patient reports whether a failure is kept for the end instead of giving up
// at once: what was asked for stays in the plan, so that all that is wrong
// shows.
func (m *marking) patient() bool { return m.propagate || m.request.byName }

func (m *marking) run() bool {
	u, r := m.unit, m.request
	if r.byName {
		m.enter()
	}
	ok := true
	if r.follow {
		m.collect()
		if ok = m.makeRoom(); !ok && !m.patient() {
			return false
		}
		m.collectDependents()
	}
	if !r.byName {
		m.enter()
	}
	if !r.follow {
		return ok
	}
	wasFixed := u.fixed
	u.fixed = true
	defer func() { u.fixed = wasFixed }()
	m.upgradeSiblings()
	for _, step := range []func() bool{m.upgradeOthers, m.fulfil, m.removeOthers} {
		if !step() {
			if !m.patient() {
				m.giveUp(u)
				return false
			}
			ok = false
		}
	}
	return ok
}

// enter puts the unit into the plan.
func (m *marking) enter() {
	u := m.unit
	if u.fixed && u.planned == u.candidate {
		return
	}
	m.plan(u, install, u.candidate)
	if u.current == nil {
		u.dependency = !m.request.byName
	}
	if u.candidate == u.current {
		u.mode = keep
	}
}

// collect sorts the relations that the plan does not fulfil yet.
func (m *marking) collect() {
	for _, g := range m.version.groups() {
		switch {
		case !m.propagate && m.holds(g, planned):
		case g.negative():
			m.excludes = append(m.excludes, g)
		default:
			m.needs = append(m.needs, g)
		}
	}
}

// collectDependents finds the installed packages that need the installed
// version of the unit and not the one it is going to have.
func (m *marking) collectDependents() {
	if m.unit.current == nil {
		return
	}
	for _, d := range m.installed {
		if d.current == nil || d.mode == install || slices.Contains(m.upgrades, d) {
			continue
		}
		for _, g := range d.current.groups() {
			if !g.negative() && slices.ContainsFunc(g.targets, m.isLost) {
				m.upgrades = append(m.upgrades, d)
				break
			}
		}
	}
}

// isLost reports whether the target is fulfilled by the installed version of
// the unit under its own name, and will not be.
func (m *marking) isLost(t target) bool {
	r := t.relation
	return r.Name == m.unit.name && r.Arch == "" &&
		r.SatisfiedBy(m.unit.current.pkg.Version) && !r.SatisfiedBy(m.version.pkg.Version)
}

// upgradeSiblings brings installed packages of the same source package to the
// same version.
func (m *marking) upgradeSiblings() {
	var siblings []*unit
	for _, d := range m.installed {
		c := d.candidate
		if d == m.unit || c == nil || d.current == c || d.mode == install && d.planned == c {
			continue
		}
		if c.pkg.Source == m.version.pkg.Source && c.pkg.SourceVersion == m.version.pkg.SourceVersion {
			siblings = append(siblings, d)
		}
	}
	slices.SortFunc(siblings, byRank)
	r := m.request.deeper()
	for _, d := range siblings {
		m.mark(d, request{depth: r.depth})
	}
	for _, d := range siblings {
		m.mark(d, r)
	}
}

// upgradeOthers upgrades, or else removes, the installed packages that are in
// the way.
func (m *marking) upgradeOthers() bool {
	ok := true
	for _, d := range m.upgrades {
		if d.mode == install || m.mark(d, m.request.deeper()) {
			continue
		}
		if m.drop(d, m.request.deeper()) {
			d.fixed = d.fixed || m.propagate
			continue
		}
		if ok = false; !m.patient() {
			return false
		}
	}
	return ok
}

// removeOthers removes what makeRoom found to have no other way.
func (m *marking) removeOthers() bool {
	ok := true
	for _, d := range m.removes {
		if !m.drop(d, request{depth: m.request.depth}) {
			if ok = false; !m.patient() {
				return false
			}
		}
	}
	return ok
}

func byRank(a, b *unit) int {
	switch {
	case a.rank < b.rank:
		return -1
	case a.rank > b.rank:
		return 1
	}
	return 0
}
