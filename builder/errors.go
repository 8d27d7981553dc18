package builder

import (
	"fmt"
	"strings"
)

// GoneError is the error for a locked package that no archive, mirror or snapshot
// has any more.
type GoneError struct {
	// Recipe is the path of the recipe of the lock.
	Recipe string
	// Err names the package and the places searched.
	Err error
}

func (e *GoneError) Error() string { return e.Err.Error() }

// Unwrap returns the *fetch.NotFoundError.
func (e *GoneError) Unwrap() error { return e.Err }

// Hint returns the command that locks available versions.
func (e *GoneError) Hint() string {
	return "the archives have moved on; to lock what they have now: pgext lock " + e.Recipe
}

// ExitCode returns 12: the lock cannot be satisfied.
func (*GoneError) ExitCode() int { return 12 }

// InBaseError is the error for a recipe whose packages are all in the base.
type InBaseError struct {
	Packages []string
	Base     string
}

func (e *InBaseError) Error() string {
	return fmt.Sprintf("%s: already part of the base %s, so there is nothing to put into an image",
		strings.Join(e.Packages, ", "), e.Base)
}

// Hint returns an alternative.
func (*InBaseError) Hint() string {
	return "the operand image has it: if it is an extension, CREATE EXTENSION works there without an image"
}

// ExitCode returns 10: the recipe asks for nothing.
func (*InBaseError) ExitCode() int { return 10 }

// EmptyError is the error for packages without files for an image.
type EmptyError struct {
	Packages []string
}

func (e *EmptyError) Error() string {
	return fmt.Sprintf("%s: no file has a place in an extension image", strings.Join(e.Packages, ", "))
}

// Hint describes the packages to name.
func (*EmptyError) Hint() string {
	return "name the packages with the module or the control file; pgext init --all lists the class of each package"
}

// ExitCode returns 10: the recipe asks for nothing.
func (*EmptyError) ExitCode() int { return 10 }

// UnsupportedError is the error for a recipe with a source that this version does
// not build from.
type UnsupportedError struct {
	Path, What string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s: this version of pgext does not build from %s", e.Path, e.What)
}

// Hint names the supported source.
func (*UnsupportedError) Hint() string {
	return "use source.deb"
}

// ExitCode returns 10: the recipe cannot be built.
func (*UnsupportedError) ExitCode() int { return 10 }
