package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// failure is about a recipe or an image that could not be judged, where others
// were.
type failure struct {
	// Subject is the recipe's path or the image as it was typed.
	Subject string `json:"subject"`
	errorBody
	err error
}

func newFailure(subject string, err error) failure { return failure{subject, newErrorBody(err), err} }

// cause is the failure without the subject that it begins with.
func (f failure) cause() string {
	if inner := errors.Unwrap(f.err); inner != nil {
		return inner.Error()
	}
	return f.Message
}

// printFailures prints each cause once, with the subjects that have it, and each
// hint once.
func (a *app) printFailures(failures []failure) {
	others := map[string][]string{}
	var distinct []failure
	for _, f := range failures {
		if _, known := others[f.cause()]; !known {
			others[f.cause()], distinct = []string{}, append(distinct, f)
			continue
		}
		others[f.cause()] = append(others[f.cause()], f.Subject)
	}
	var hints []string
	for _, f := range distinct {
		a.printLines("pgext: ", f.Message)
		if same := others[f.cause()]; len(same) > 0 {
			a.printLines("pgext: ", fmt.Sprintf("the same for %s", strings.Join(same, ", ")))
		}
		if !slices.Contains(hints, f.Hint) {
			hints = append(hints, f.Hint)
			a.printLines("hint: ", f.Hint)
		}
	}
}
