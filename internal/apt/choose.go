package apt

import "slices"

// solutions returns the versions that would satisfy a group (or, of a
// negative one, the versions it excludes), best first: replacements for what
// is installed before new packages, then in the order of the alternatives,
// then by the rules of compare.
func (s *solver) solutions(g group, of pick) []*version {
	var upgrades, fresh []*version
	for _, t := range g.targets {
		found := s.matches(t, of)
		slices.SortFunc(found, func(a, b *version) int { return compare(a, b, targetName(t)) })
		for _, v := range found {
			if v.unit.current != nil {
				upgrades = append(upgrades, v)
			} else {
				fresh = append(fresh, v)
			}
		}
	}
	all := slices.Compact(append(upgrades, fresh...))
	if g.negative() {
		return all
	}
	return slices.DeleteFunc(all, func(v *version) bool { return v.unit.isShut() })
}

// targetName is the name apt keeps the target of a relation under.
func targetName(t target) string {
	if t.relation.Arch != "" {
		return t.relation.Name + ":" + t.relation.Arch
	}
	return t.relation.Name
}

// isShut reports whether the unit is fixed to be absent.
func (u *unit) isShut() bool {
	return u.fixed && (u.mode == remove || u.mode == keep && u.current == nil)
}

// compare orders two versions that satisfy one relation as apt prefers them:
// fixed, installed, of the relation's own name, essential, important, of
// higher priority, and at last the one whose name apt heard of later.
func compare(a, b *version, name string) int {
	for _, prefers := range [...]func(*version) bool{
		func(v *version) bool { return v.unit.fixed },
		func(v *version) bool { return v.pkg.MultiArch == "same" && v.unit.current != nil },
		func(v *version) bool { return v.unit.current != nil },
		func(v *version) bool { return v.unit.name == name },
		func(v *version) bool { return v.unit.essential },
		func(v *version) bool { return v.unit.important },
	} {
		if pa, pb := prefers(a), prefers(b); pa != pb {
			if pa {
				return -1
			}
			return 1
		}
	}
	if d := int(priorityNumber(a.pkg.Priority)) - int(priorityNumber(b.pkg.Priority)); d != 0 {
		return d
	}
	switch {
	case a.unit.rank > b.unit.rank:
		return -1
	case a.unit.rank < b.unit.rank:
		return 1
	}
	return 0
}
