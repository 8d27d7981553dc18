package apt

import (
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
)

// solver plans a system: which version of which package it is going to have.
// It loads from the index only what the plan touches.
type solver struct {
	ix    *Index
	units map[string]*unit
	// installed are the units of the system as it is, sorted by name.
	installed []*unit
	// touched are all units whose plan ever changed.
	touched []*unit
	offers  map[offerKey][]offer
	// strangers are installed versions that no index has.
	strangers []*version
	// clock counts changes.
	clock int
}

// mode is the planned action for a unit.
type mode uint8

const (
	keep mode = iota
	install
	remove
)

// unit is a package name during planning.
type unit struct {
	name string
	// versions are all known ones, highest first; a name that is only
	// virtual has none.
	versions []*version
	// current is what the system has, candidate what could replace it and
	// planned what it is going to have.
	current, candidate, planned *version
	mode                        mode
	// discarded is a candidate that was given up at a time; changed is when
	// the plan of the unit last changed. See holdsForNow.
	discarded              *version
	discardedAt, changedAt int
	// fixed units must stay as they are planned: they were asked for, or are
	// the only way to what was asked for.
	fixed bool
	// dependency units came by a relation, not by request.
	dependency           bool
	essential, important bool
	rank                 uint64
	touched              bool
}

// version is one version of a unit.
type version struct {
	unit  *unit
	pkg   Package
	read  bool
	group []group
	// from is where the index has it; stranger is true where it has it not.
	from     row
	stranger bool
}

// newSolver starts with a system as it is.
func newSolver(ix *Index, installed []Package) *solver {
	s := &solver{ix: ix, units: make(map[string]*unit), offers: make(map[offerKey][]offer)}
	for _, p := range installed {
		u := s.unit(p.Name)
		if u.current == nil {
			s.installed = append(s.installed, u)
		}
		s.setCurrent(u, p)
	}
	slices.SortFunc(s.installed, func(a, b *unit) int { return strings.Compare(a.name, b.name) })
	return s
}

// setCurrent makes p what the system has of u.
func (s *solver) setCurrent(u *unit, p Package) {
	i := slices.IndexFunc(u.versions, func(v *version) bool { return v.pkg.Version == p.Version })
	if i < 0 {
		v := &version{unit: u, pkg: p, stranger: true}
		u.versions = append(u.versions, v)
		s.strangers = append(s.strangers, v)
		u.sortVersions()
		i = slices.Index(u.versions, v)
		u.addFlags(p)
	}
	u.current, u.planned = u.versions[i], u.versions[i]
	// The system's own version is a candidate like any other (apt never
	// downgrades by itself).
	u.candidate = u.versions[0]
}

// unit returns the unit of a name, which is read from the index the first
// time.
func (s *solver) unit(name string) *unit {
	if u, ok := s.units[name]; ok {
		return u
	}
	u := &unit{name: name, rank: s.ix.rank(name)}
	s.units[name] = u
	for _, r := range s.ix.versions(name) {
		v := &version{unit: u, pkg: s.ix.read(r), from: r}
		u.versions = append(u.versions, v)
		u.addFlags(v.pkg)
	}
	if len(u.versions) > 0 {
		u.candidate = u.versions[0]
	}
	return u
}

func (u *unit) sortVersions() {
	slices.SortStableFunc(u.versions, func(a, b *version) int {
		return debian.CompareVersions(b.pkg.Version, a.pkg.Version)
	})
}

// addFlags takes over the flags of a version: those of any version count. apt
// treats itself as essential.
func (u *unit) addFlags(p Package) {
	u.essential = u.essential || p.Essential || p.Name == "apt"
	u.important = u.important || p.Protected
}

// discard leaves u without a candidate other than v.
func (s *solver) discard(u *unit, v *version) {
	s.clock++
	if u.candidate != v {
		u.discarded, u.discardedAt = u.candidate, s.clock
	}
	u.candidate = v
}

// isNew reports whether the unit is planned and the system does not have it.
func (u *unit) isNew() bool { return u.mode == install && u.current == nil }

// versionAt returns the version that is a row of the index.
func (s *solver) versionAt(r row) *version {
	u := s.unit(string(s.ix.tables[r.table].name(r.row)))
	for _, v := range u.versions {
		if !v.stranger && v.from == r {
			return v
		}
	}
	return nil
}

// plan sets what becomes of u.
func (s *solver) plan(u *unit, m mode, v *version) {
	s.clock++
	u.mode, u.planned, u.changedAt = m, v, s.clock
	if !u.touched {
		u.touched = true
		s.touched = append(s.touched, u)
	}
}

// system yields every unit that has a planned version, installed ones first.
func (s *solver) system(yield func(*unit) bool) {
	for _, u := range s.installed {
		if u.planned != nil && !yield(u) {
			return
		}
	}
	for _, u := range s.touched {
		if u.current == nil && u.planned != nil && !yield(u) {
			return
		}
	}
}
