package builder

import (
	"fmt"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/lock"
)

// ContradictionError says that pins tell of a package what the package does not
// say of itself: an image made by them would have a wrong version in its tag,
// its SBOM and its package database.
type ContradictionError struct {
	// Recipe is the path of the recipe whose lock it is; "" for one that is in
	// provenance.
	Recipe string
	// Pinned and Is are what the pin and the package's control paragraph say.
	Pinned, Is string
}

func (e *ContradictionError) Error() string {
	return fmt.Sprintf("the lock has the digest of %s under the name of %s", e.Is, e.Pinned)
}

// Hint says how a lock that is true is made.
func (e *ContradictionError) Hint() string {
	if e.Recipe == "" {
		return "do not use the image: its provenance does not match its packages"
	}
	return "the lock was changed by hand: restore it, or make it again: pgext lock " + e.Recipe
}

// ExitCode returns 13: what the lock says is not so.
func (*ContradictionError) ExitCode() int { return 13 }

// agree refuses a pin that says of a package what its control paragraph does
// not.
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

// String names the source only where it is another one than the package.
func (i identity) String() string {
	s := fmt.Sprintf("%s %s %s", i.name, i.version, i.arch)
	if i.source != i.name || i.sourceVersion != i.version {
		s += fmt.Sprintf(" (of source %s %s)", i.source, i.sourceVersion)
	}
	return s
}
