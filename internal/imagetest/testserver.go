package imagetest

import (
	"context"
	"fmt"
	"time"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/rootfs"
	"github.com/pgext/pgext/internal/sandbox"
)

// setup is the environment in which an image is tested.
type setup struct {
	// others are mounted beside it.
	others []Subject
	// missing are the requirements that none of them satisfies.
	missing []metadata.Requirement
	// suite is a regression suite that runs as well; nil is none.
	suite *pgtest.Suite
	// timeout is that of pgtest.Options.
	timeout time.Duration
	// report hears of each check as soon as it is known; nil discards.
	report func(pgtest.Check)
}

// tell reports a check that no server was asked about.
func (c setup) tell(check pgtest.Check) {
	if c.report != nil {
		c.report(check)
	}
}

// Run tests t on a real server together with others; missing are requirements
// that no image satisfies.
func (ts *Tester) Run(ctx context.Context, t Subject, others []Subject, missing []metadata.Requirement) (pgtest.Result, error) {
	return ts.run(ctx, t, setup{others: others, missing: missing})
}

// run tests t on a real server.
func (ts *Tester) run(ctx context.Context, t Subject, with setup) (pgtest.Result, error) {
	result, err := ts.serve(ctx, t, with)
	if err != nil {
		return result, fmt.Errorf("testing %s for %s: %w", t.Name, t.Metadata.Arch, err)
	}
	return result, nil
}

func (ts *Tester) serve(ctx context.Context, t Subject, with setup) (pgtest.Result, error) {
	in, err := ts.testInput(ctx, t, with)
	if err != nil {
		return pgtest.Result{}, err
	}
	result, err := pgtest.Run(ctx, in, pgtest.Options{Cache: ts.s.Cache, Timeout: with.timeout, Report: with.report})
	if t.Derived {
		result.Checks = append([]pgtest.Check{pgtest.Unlabelled(t.Metadata)}, result.Checks...)
	}
	return result, err
}

// testInput puts t, what it is tested with and the root of its operand on
// disk.
func (ts *Tester) testInput(ctx context.Context, t Subject, with setup) (pgtest.Input, error) {
	roots, err := ts.s.RootStore()
	if err != nil {
		return pgtest.Input{}, err
	}
	in := pgtest.Input{Postgres: t.Metadata.Postgres, Suite: with.suite}
	in.Emulator, _ = sandbox.FindEmulator(t.Metadata.Arch)
	if in.Root, in.Version, err = ts.operandRoot(ctx, roots, t); err != nil {
		return in, err
	}
	if in.Image, err = ts.unpackImage(ctx, roots, t); err != nil {
		return in, err
	}
	for _, r := range with.missing {
		in.Lacking = append(in.Lacking, r.Extension)
	}
	for _, o := range with.others {
		i, err := ts.unpackImage(ctx, roots, o)
		if err != nil {
			return in, err
		}
		in.Others = append(in.Others, i)
	}
	in.Script, err = testScript(t.Recipe)
	return in, err
}

func (ts *Tester) unpackImage(ctx context.Context, roots *rootfs.Store, t Subject) (pgtest.Image, error) {
	digest, err := t.Image.Digest()
	if err != nil {
		return pgtest.Image{}, err
	}
	dir, err := roots.FromImage(ctx, digest.String(), func() (filetree.Tree, error) {
		flat, err := image.Flatten(ctx, t.Image, image.FlattenOptions{Cache: ts.s.Cache})
		return flat.Tree, err
	})
	return pgtest.Image{Metadata: t.Metadata, Dir: dir}, err
}
