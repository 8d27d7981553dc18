package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/imagetest"
	"github.com/pgext/pgext/internal/initrecipe"
	"github.com/pgext/pgext/internal/pgtest"
)

// discover tries out what was found, several at a time, and puts what the
// servers taught in its place. It tells what came of each.
func (a *app) discover(ctx context.Context, b *initrecipe.Finder, ask initrecipe.Ask, found []initrecipe.Discovery, with []string) error {
	var others []imagetest.Subject
	for _, ref := range with {
		trials, err := a.trials(ctx, ref, nil)
		if err != nil {
			return err
		}
		others = append(others, trials...)
	}
	var told sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(a.global.jobs)
	for i := range found {
		group.Go(func() error {
			d, err := b.Discover(ctx, ask, found[i].Facts, others)
			if err != nil {
				return err
			}
			found[i] = d
			told.Lock()
			defer told.Unlock()
			return a.printDiscovery(d)
		})
	}
	return group.Wait()
}

// printDiscovery prints a line, and what does not pass below it.
func (a *app) printDiscovery(d initrecipe.Discovery) error {
	var b strings.Builder
	checks := d.Result.Checks
	if len(checks) == 0 {
		fmt.Fprintf(&b, "%s: not tried out: %s\n", d.Facts.Name, d.Reason)
	} else {
		fmt.Fprintf(&b, "%s: tried out: %d of %d checks pass\n", d.Facts.Name, d.Result.Count(pgtest.Pass), len(checks))
	}
	for _, c := range checks {
		if c.Status != pgtest.Pass {
			fmt.Fprintf(&b, "  %s %s: %s\n", c.Status, c.Name, clip(c))
		}
	}
	_, err := fmt.Fprint(a.stderr, visible(b.String()))
	return err
}

// failedProbe is the exit code of checks that fail whatever the recipe says.
func failedProbe(found []initrecipe.Discovery) error {
	if slices.ContainsFunc(found, func(d initrecipe.Discovery) bool { return d.Result.Failed() }) {
		return printedError{exitFindings}
	}
	return nil
}
