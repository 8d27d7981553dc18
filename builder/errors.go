package builder

import (
	"fmt"
	"strings"
)

// GoneError says that no archive, mirror or snapshot has a locked package any
// more.
type GoneError struct {
	// Recipe is the path of the recipe whose lock it is.
	Recipe string
	// Err names the package and where it was looked for.
	Err error
}

func (e *GoneError) Error() string { return e.Err.Error() }

// Unwrap returns the *fetch.NotFoundError in its chain.
func (e *GoneError) Unwrap() error { return e.Err }

// Hint names the command that locks what there is instead.
func (e *GoneError) Hint() string {
	return "the archives have moved on; to lock what they have now: pgext lock " + e.Recipe
}

// ExitCode returns 12: nothing satisfies the lock.
func (*GoneError) ExitCode() int { return 12 }

// InBaseError says that nothing is left to put into an image.
type InBaseError struct {
	Packages []string
	Base     string
}

func (e *InBaseError) Error() string {
	return fmt.Sprintf("%s: already part of the base %s, so there is nothing to put into an image",
		strings.Join(e.Packages, ", "), e.Base)
}

// Hint says what to do instead.
func (*InBaseError) Hint() string {
	return "the operand image has it: if it is an extension, CREATE EXTENSION works there without an image"
}

// ExitCode returns 10: the recipe asks for nothing.
func (*InBaseError) ExitCode() int { return 10 }

// EmptyError says that packages have nothing that belongs into an image.
type EmptyError struct {
	Packages []string
}

func (e *EmptyError) Error() string {
	return fmt.Sprintf("%s: no file has a place in an extension image", strings.Join(e.Packages, ", "))
}

// Hint says which packages are meant.
func (*EmptyError) Hint() string {
	return "name the packages with the module or the control file; pgext init --all lists the class of each package"
}

// ExitCode returns 10: the recipe asks for nothing.
func (*EmptyError) ExitCode() int { return 10 }

// UnsupportedError says that a recipe asks for what this version cannot do.
type UnsupportedError struct {
	Path, What string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s: this version of pgext does not build from %s", e.Path, e.What)
}

// Hint names what can be built.
func (*UnsupportedError) Hint() string {
	return "use source.deb"
}

// ExitCode returns 10: the recipe cannot be carried out.
func (*UnsupportedError) ExitCode() int { return 10 }
