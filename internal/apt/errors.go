package apt

import (
	"fmt"
	"strings"
)

// UnknownError reports that no file of the index has a package of a name that
// was asked for.
type UnknownError struct {
	Name string
	// Providers are the packages that provide the name, sorted, when it is
	// only a virtual one and so one of them must be chosen.
	Providers []string
	// Nearest are similar names, best first.
	Nearest []string
}

func (e *UnknownError) Error() string {
	if len(e.Providers) > 0 {
		return fmt.Sprintf("package %s is virtual", e.Name)
	}
	return fmt.Sprintf("package %s is in none of the archives", e.Name)
}

// Hint names what to ask for instead.
func (e *UnknownError) Hint() string {
	switch {
	case len(e.Providers) > 0:
		return "name one of its providers: " + strings.Join(e.Providers, ", ")
	case len(e.Nearest) > 0:
		return "similar names: " + strings.Join(e.Nearest, ", ")
	}
	return "check its name; --distro chooses another distribution, --archive or archives: other archives"
}

// ExitCode returns the exit code of "nothing in the archives satisfies it".
func (*UnknownError) ExitCode() int { return 12 }

// UnsatisfiableError reports why packages cannot be installed.
type UnsatisfiableError struct {
	// Name is the requested package that the chain starts at.
	Name string
	// Chain leads from it to what is missing or in the way, one relation a
	// line: "a depends on b (>= 2)", …; the last one says what is wrong.
	Chain []string
	// Conflict is true if something is in the way, not missing.
	Conflict bool
}

func (e *UnsatisfiableError) Error() string {
	return fmt.Sprintf("package %s cannot be installed: %s", e.Name, strings.Join(e.Chain, "; "))
}

// Hint returns what a user can do.
func (e *UnsatisfiableError) Hint() string {
	if e.Conflict {
		return "one system cannot have both: name only one of them in source and bundle, or choose another distribution with --distro"
	}
	return "choose a distribution that has what it needs with --distro, or add the archive that does with archives: or --archive; " +
		"a mirror in the middle of an update has it later"
}

// ExitCode returns the exit code of "nothing in the archives satisfies it".
func (*UnsatisfiableError) ExitCode() int { return 12 }
