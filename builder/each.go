package builder

import (
	"errors"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// each calls fn for every number below n, at most jobs at a time. The error is
// that of the lowest number: the same faults give the same message, whichever
// was met first. Findings are told of all numbers, since a person can mend them
// all at once. After any other error nothing more is begun.
func each(jobs, n int, fn func(i int) error) error {
	errs := make([]error, n)
	var group errgroup.Group
	group.SetLimit(jobs)
	var broken atomic.Bool
	for i := range n {
		if broken.Load() {
			break // every number that is left is higher
		}
		group.Go(func() error {
			errs[i] = fn(i)
			var stopped *FindingsError
			if errs[i] != nil && !errors.As(errs[i], &stopped) {
				broken.Store(true)
			}
			return nil
		})
	}
	_ = group.Wait() // the functions return nil
	return joined(errs)
}

// joined returns the first of errs, or all of them when all are findings.
func joined(errs []error) error {
	var all FindingsError
	var lines []string
	for _, err := range errs {
		var stopped *FindingsError
		switch {
		case err == nil:
		case errors.As(err, &stopped):
			all.Findings = append(all.Findings, stopped.Findings...)
			lines = append(lines, err.Error())
		default:
			return err
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return &joinedError{&all, strings.Join(lines, "\n")}
}

// joinedError is findings about several architectures, each with its place.
type joinedError struct {
	all  *FindingsError
	text string
}

func (e *joinedError) Error() string { return e.text }

// Unwrap returns the findings without their places.
func (e *joinedError) Unwrap() error { return e.all }
