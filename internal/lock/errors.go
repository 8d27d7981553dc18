package lock

import (
	"fmt"
	"strings"
)

// InvalidError says that a file is not a lock this program can use.
type InvalidError struct {
	// Name of the file.
	Name string
	// Target is DISTRO/MAJOR/ARCH; "" when the document as a whole is meant.
	Target string
	// Err says what is wrong.
	Err error
	// Newer tells that the lock is of a later version of the format.
	Newer bool
}

// Error returns file, target and fault.
func (e *InvalidError) Error() string {
	if e.Target == "" {
		return fmt.Sprintf("reading lock %s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("reading lock %s: target %s: %v", e.Name, e.Target, e.Err)
}

// Unwrap returns what is wrong.
func (e *InvalidError) Unwrap() error { return e.Err }

// ExitCode returns 11: the lock cannot be used.
func (e *InvalidError) ExitCode() int { return 11 }

// Hint says how a usable lock is made.
func (e *InvalidError) Hint() string {
	if e.Newer {
		return "upgrade pgext, or make the lock again with this one: pgext lock RECIPE"
	}
	return "restore the file, or remove it and make it again: pgext lock RECIPE"
}

// OutOfDateError says that a lock does not fit its recipe and may not be
// written.
type OutOfDateError struct {
	// Path of the lock.
	Path string
	// Recipe is the path of the recipe.
	Recipe string
	// Reasons say what does not fit, such as "forky/18/amd64: not locked"; at
	// least one.
	Reasons []string
}

// Error returns the lock and every reason.
func (e *OutOfDateError) Error() string {
	return fmt.Sprintf("lock %s is out of date: %s", e.Path, strings.Join(e.Reasons, "; "))
}

// ExitCode returns 11: the lock is out of date.
func (e *OutOfDateError) ExitCode() int { return 11 }

// Hint names the command that brings the lock up to date.
func (e *OutOfDateError) Hint() string { return "pgext lock " + e.Recipe }
