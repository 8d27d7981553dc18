package apt

import "slices"

// fulfil marks, for each relation that still lacks something, the best
// package that can be had.
func (m *marking) fulfil() bool {
	ok := true
	for _, g := range m.needs {
		if m.holds(g, planned) {
			if m.propagate && !m.fix(g) {
				ok = false
			}
			continue
		}
		if m.choose(g) {
			continue
		}
		if ok = false; !m.patient() {
			return false
		}
	}
	return ok
}

// choose marks the first solution of a group that can be marked.
func (m *marking) choose(g group) bool {
	found := m.solutions(g, candidate)
	r := m.request.deeper()
	for _, v := range found {
		u := v.unit
		if u.candidate != v {
			continue
		}
		if m.propagate && len(found) == 1 {
			if !m.mark(u, request{depth: r.depth}) {
				continue
			}
			u.fixed = true
		}
		if m.mark(u, r) {
			return true
		}
	}
	return false
}

// fix makes the only solution of a fulfilled group as fixed as the unit that
// needs it.
func (m *marking) fix(g group) bool {
	found := m.solutions(g, candidate)
	for _, v := range m.solutions(g, current) {
		if !slices.Contains(found, v) {
			found = append(found, v)
		}
	}
	if len(found) != 1 || found[0].unit.fixed {
		return true
	}
	found[0].unit.fixed = true
	return m.mark(found[0].unit, m.request.deeper())
}

// makeRoom deals with what the unit excludes: a candidate is kept out, an
// installed package is noted for an upgrade or for removal.
func (m *marking) makeRoom() bool {
	ok := true
	var bad []*unit
	for _, g := range m.excludes {
		for _, v := range m.solutions(g, candidate) {
			if v.unit.candidate == v && !m.keepOut(v, &bad) {
				if ok = false; !m.patient() {
					return false
				}
			}
		}
		for _, v := range m.solutions(g, current) {
			if !m.replace(v, bad) {
				if ok = false; !m.patient() {
					return false
				}
			}
		}
	}
	return ok
}

// keepOut makes sure that an excluded candidate does not enter the plan.
func (m *marking) keepOut(v *version, bad *[]*unit) bool {
	u := v.unit
	switch {
	case u.current == v:
		return m.noteRemoval(u)
	case u.mode == install && !m.unmark(u, request{depth: m.request.depth}):
		return false
	case m.propagate:
		m.discard(u, u.planned)
		u.fixed = u.fixed || u.current == nil
	default:
		*bad = append(*bad, u)
	}
	return true
}

// replace notes what is to become of an excluded installed version.
func (m *marking) replace(v *version, bad []*unit) bool {
	u := v.unit
	switch {
	case u.candidate != v && u.candidate != nil && !slices.Contains(bad, u):
		m.upgrades = append(m.upgrades, u)
	case u.candidate != u.current:
		return m.noteRemoval(u)
	}
	return true
}

// noteRemoval removes a unit that has no version to upgrade to: at once for a
// fixed one, else only when all the rest has worked.
func (m *marking) noteRemoval(u *unit) bool {
	if m.propagate {
		if u.mode != remove && !m.drop(u, m.request.deeper()) {
			return false
		}
		m.discard(u, u.planned)
		u.fixed = true
		return true
	}
	if u.mode == remove {
		return true
	}
	if !u.may(remove, request{depth: m.request.depth}) || u.isRequested() {
		return false
	}
	m.removes = append(m.removes, u)
	return true
}
