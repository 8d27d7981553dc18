package session

import (
	"errors"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/finding"
)

// Parallel calls fn for every i in [0, n), at most jobs at a time.
//
// It returns the error of the lowest i, so that the same faults give the same
// message in every run. If all errors are *finding.FatalError, it returns the
// findings of all of them. After any other error it starts no further call.
func Parallel(jobs, n int, fn func(i int) error) error {
	errs := make([]error, n)
	var group errgroup.Group
	group.SetLimit(jobs)
	var stop atomic.Bool
	for i := range n {
		if stop.Load() {
			break
		}
		group.Go(func() error {
			errs[i] = fn(i)
			var fatal *finding.FatalError
			if errs[i] != nil && !errors.As(errs[i], &fatal) {
				stop.Store(true)
			}
			return nil
		})
	}
	_ = group.Wait() // the functions return nil
	return join(errs)
}

// join returns the first error that is not a *finding.FatalError, otherwise the
// findings of all errors.
func join(errs []error) error {
	var all finding.FatalError
	var lines []string
	for _, err := range errs {
		var fatal *finding.FatalError
		switch {
		case err == nil:
		case errors.As(err, &fatal):
			all.Findings = append(all.Findings, fatal.Findings...)
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

// joinedError has the messages of several errors, each with its prefix.
type joinedError struct {
	all  *finding.FatalError
	text string
}

func (e *joinedError) Error() string { return e.text }

// Unwrap returns the findings.
func (e *joinedError) Unwrap() error { return e.all }
