package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// lintFailure is about a recipe or an image that could not be judged.
type lintFailure struct {
	// Subject is the recipe's path or the image as it was typed.
	Subject string `json:"subject"`
	errorBody
	err error
}

// failed notes that a subject could not be judged; the others still are.
func (d *lintDocument) failed(subject string, err error) {
	d.Failures = append(d.Failures, lintFailure{subject, newErrorBody(err), err})
}

// cause is the failure without the subject that it begins with.
func (f lintFailure) cause() string {
	if inner := errors.Unwrap(f.err); inner != nil {
		return inner.Error()
	}
	return f.Message
}

// tellLintFailures tells each cause once, however many subjects have it, and
// each hint.
func (a *app) tellLintFailures(failures []lintFailure) {
	others := map[string][]string{}
	var told []lintFailure
	for _, f := range failures {
		if _, known := others[f.cause()]; !known {
			others[f.cause()], told = []string{}, append(told, f)
			continue
		}
		others[f.cause()] = append(others[f.cause()], f.Subject)
	}
	var hints []string
	for _, f := range told {
		a.tell("pgext: ", f.Message)
		if same := others[f.cause()]; len(same) > 0 {
			a.tell("pgext: ", fmt.Sprintf("the same for %s", strings.Join(same, ", ")))
		}
		if !slices.Contains(hints, f.Hint) {
			hints = append(hints, f.Hint)
			a.tell("hint: ", f.Hint)
		}
	}
}
