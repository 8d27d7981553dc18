// Package failure defines the error value that carries an exit code and a hint.
//
// A package that needs its own error type, because code matches it, implements
// the same two methods, Hint and ExitCode, on that type.
package failure

import "fmt"

// Code is an exit code of pgext (docs/errors.md). The values are part of the
// command line's contract.
type Code int

// The exit codes an error can carry.
const (
	Other       Code = 1  // network, disk, usage
	Findings    Code = 3  // findings of severity error, or a failed test
	Recipe      Code = 10 // invalid recipe or selection
	Lock        Code = 11 // lock out of date
	Unavailable Code = 12 // not in the archives or the cache
	Untrusted   Code = 13 // signature, key, digest or date refused
	Registry    Code = 14 // registry
)

// Error is an error with an exit code and a hint.
type Error struct {
	err error
	// message replaces the message of err if it is not "".
	message string
	code    Code
	hint    string
}

// New returns an *Error whose message is formatted like fmt.Errorf; %w wraps.
// hint is the next command or edit for the user, "" for none.
func New(code Code, hint, format string, args ...any) *Error {
	return &Error{err: fmt.Errorf(format, args...), code: code, hint: hint}
}

// Wrap returns an *Error with the message of err. It returns nil if err is nil.
func Wrap(code Code, hint string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{err: err, code: code, hint: hint}
}

// Replace returns an *Error with its own message, formatted like fmt.Sprintf.
// cause is in the chain for errors.Is and errors.As, but its message, which may
// contain secrets, is not shown. cause may be nil.
func Replace(code Code, hint string, cause error, format string, args ...any) *Error {
	return &Error{err: cause, message: fmt.Sprintf(format, args...), code: code, hint: hint}
}

// Error returns the message, without the hint.
func (e *Error) Error() string {
	if e.message != "" {
		return e.message
	}
	return e.err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.err }

// Hint returns the next command or edit for the user, "" for none.
func (e *Error) Hint() string { return e.hint }

// ExitCode returns the exit code.
func (e *Error) ExitCode() int { return int(e.code) }
