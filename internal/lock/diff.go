package lock

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is the kind of difference of a package between two locks.
type Kind string

// The kinds of a Change.
const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
)

// Change is one package of one target that differs between two locks.
type Change struct {
	// Target is DISTRO/MAJOR/ARCH.
	Target  string `json:"target"`
	Kind    Kind   `json:"kind"`
	Package string `json:"package"`
	// From and To are versions; "" if the lock lacks the package. They are
	// equal if only the bytes of the .deb differ.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// String returns the change as one line.
func (c Change) String() string {
	switch {
	case c.Kind == Added:
		return fmt.Sprintf("%s: %s %s added", c.Target, c.Package, c.To)
	case c.Kind == Removed:
		return fmt.Sprintf("%s: %s %s removed", c.Target, c.Package, c.From)
	case c.From == c.To:
		return fmt.Sprintf("%s: %s %s has other bytes", c.Target, c.Package, c.To)
	}
	return fmt.Sprintf("%s: %s %s -> %s", c.Target, c.Package, c.From, c.To)
}

// Diff returns the packages that differ between two locks, sorted by target and
// name. A package is changed if its version or digest is; its archive and path are
// ignored.
func Diff(before, after Lock) []Change {
	var changes []Change
	for _, t := range targets(before, after) {
		old, _ := before.Find(t.Distro, t.Postgres, t.Arch)
		now, _ := after.Find(t.Distro, t.Postgres, t.Arch)
		changes = append(changes, diffPackages(t.String(), byName(old.Packages), byName(now.Packages))...)
	}
	slices.SortStableFunc(changes, func(a, b Change) int {
		if a.Target != b.Target {
			return 0
		}
		return strings.Compare(a.Package, b.Package)
	})
	return changes
}

// diffPackages returns the changes of one target, unsorted.
func diffPackages(target string, before, after map[string]Package) []Change {
	var changes []Change
	for name, old := range before {
		now, kept := after[name]
		switch {
		case !kept:
			changes = append(changes, Change{Target: target, Kind: Removed, Package: name, From: old.Version})
		case now.Version != old.Version || now.SHA256 != old.SHA256:
			changes = append(changes, Change{target, Changed, name, old.Version, now.Version})
		}
	}
	for name, now := range after {
		if _, known := before[name]; !known {
			changes = append(changes, Change{Target: target, Kind: Added, Package: name, To: now.Version})
		}
	}
	return changes
}

// targets returns the targets of both locks in order, each once.
func targets(a, b Lock) []Target {
	all := slices.Concat(a.Targets, b.Targets)
	slices.SortFunc(all, Target.compare)
	return slices.CompactFunc(all, func(t, u Target) bool { return t.compare(u) == 0 })
}

func byName(packages []Package) map[string]Package {
	out := make(map[string]Package, len(packages))
	for _, p := range packages {
		out[p.Package] = p
	}
	return out
}
