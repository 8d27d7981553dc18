package builder

import (
	"fmt"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/lock"
)

// ContradictionError is the error for a pin that differs from the control paragraph
// of its package. An image built from it would have a wrong version in its tag, its
// SBOM and its package database.
type ContradictionError struct {
	// Recipe is the path of the recipe of the lock; "" for pins of a
	// provenance.
	Recipe string
	// Pinned and Is identify the package of the pin and of the control paragraph.
	Pinned, Is string
}

func (e *ContradictionError) Error() string {
	return fmt.Sprintf("the lock has the digest of %s under the name of %s", e.Is, e.Pinned)
}

// Hint returns the command that writes a correct lock.
func (e *ContradictionError) Hint() string {
	if e.Recipe == "" {
		return "do not use the image: its provenance does not match its packages"
	}
	return "the lock was changed by hand: restore it, or make it again: pgext lock " + e.Recipe
}

// ExitCode returns 13: the lock cannot be trusted.
func (*ContradictionError) ExitCode() int { return 13 }

// agree returns a *ContradictionError for a pin that differs from the control
// paragraph of its package.
func agree(in inputs, pin lock.Package, c *debinfo.Info) error {
	is := identityOf(apt.FromControl(c.Control))
	if pinned := pinnedIdentity(pin); pinned != is {
		return &ContradictionError{Recipe: in.recipe.Path, Pinned: pinned.String(), Is: is.String()}
	}
	return nil
}

func pinnedIdentity(p lock.Package) identity {
	return identity{p.Package, p.Version, p.Source, p.SourceVersion, p.Arch}
}

// String includes the source only if its name differs from that of the package.
func (i identity) String() string {
	s := fmt.Sprintf("%s %s %s", i.name, i.version, i.arch)
	if i.source != i.name || i.sourceVersion != i.version {
		s += fmt.Sprintf(" (of source %s %s)", i.source, i.sourceVersion)
	}
	return s
}
