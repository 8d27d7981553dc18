package builder

import "golang.org/x/sync/errgroup"

// each calls fn for every number below n, at most jobs at a time. The error is
// that of the lowest number: the same faults give the same message, whichever
// was met first.
func each(jobs, n int, fn func(i int) error) error {
	errs := make([]error, n)
	var group errgroup.Group
	group.SetLimit(jobs)
	for i := range n {
		group.Go(func() error {
			errs[i] = fn(i)
			return nil
		})
	}
	_ = group.Wait() // the functions return nil
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
