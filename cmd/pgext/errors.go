package main

import (
	"errors"
	"fmt"
)

// Exit codes that no error type of a lower room carries. The others are 10 to
// 14; 2 is left to the Go runtime.
const (
	exitOther       = 1
	exitFindings    = 3
	exitInterrupted = 130
)

type hinter interface{ Hint() string }

type exitCoder interface{ ExitCode() int }

// exitCode returns the code of the first error in the chain that has one.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	var coder exitCoder
	if errors.As(err, &coder) {
		return coder.ExitCode()
	}
	return exitOther
}

// hint returns the hint of the first error in the chain that has one.
func hint(err error) string {
	var h hinter
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// report prints err as people or, with --json, as programs read it, and
// returns the exit code.
func (a *app) report(err error) int {
	if err == nil {
		return 0
	}
	code := exitCode(err)
	var printed printedError
	if errors.As(err, &printed) {
		return code
	}
	a.printLines("pgext: ", err.Error())
	a.printLines("hint: ", hint(err))
	if a.global.json {
		// What cannot be written has been said above.
		_ = a.printJSON(errorDocument{Schema: 1, Error: newErrorBody(err)})
	}
	return code
}

type errorDocument struct {
	Schema int       `json:"schema"`
	Error  errorBody `json:"error"`
}

type errorBody struct {
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
	ExitCode int    `json:"exitCode"`
}

func newErrorBody(err error) errorBody {
	return errorBody{Message: err.Error(), Hint: hint(err), ExitCode: exitCode(err)}
}

// usageError is a command line that cannot be carried out as typed.
type usageError struct {
	text    string
	command string
}

func usageErrorf(format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...), command: "pgext"}
}

func (e *usageError) Error() string { return e.text }

// Hint names the help of the command.
func (e *usageError) Hint() string { return e.command + " --help lists the flags" }

// ExitCode is 1.
func (e *usageError) ExitCode() int { return exitOther }

// interruptedError is a run that the user ended.
type interruptedError struct{}

func (interruptedError) Error() string { return "interrupted; nothing was left half-written" }
func (interruptedError) ExitCode() int { return exitInterrupted }

// printedError is a failure whose account is on stderr already.
type printedError struct{ code int }

func (printedError) Error() string   { return "the findings above" }
func (e printedError) ExitCode() int { return e.code }
