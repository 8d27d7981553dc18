package builder

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

// company is what an image is tested with.
type company struct {
	// others are mounted beside it.
	others []Trial
	// missing is what it requires and none of them has.
	missing []metadata.Requirement
	// suite is a regression suite that runs as well; nil is none.
	suite *pgtest.Suite
	// timeout is that of pgtest.Options.
	timeout time.Duration
	// report hears of each check as soon as it is known; nil discards.
	report func(pgtest.Check)
}

// tell reports a check that no server was asked about.
func (c company) tell(check pgtest.Check) {
	if c.report != nil {
		c.report(check)
	}
}

// run tries t out on a real server.
func (b *Builder) run(ctx context.Context, t Trial, with company) (pgtest.Result, error) {
	result, err := b.serve(ctx, t, with)
	if err != nil {
		return result, fmt.Errorf("testing %s for %s: %w", t.Name, t.Metadata.Arch, err)
	}
	return result, nil
}

func (b *Builder) serve(ctx context.Context, t Trial, with company) (pgtest.Result, error) {
	in, err := b.testInput(ctx, t, with)
	if err != nil {
		return pgtest.Result{}, err
	}
	result, err := pgtest.Run(ctx, in, pgtest.Options{Cache: b.o.Cache, Timeout: with.timeout, Report: with.report})
	if t.Derived {
		result.Checks = append([]pgtest.Check{pgtest.Unlabelled(t.Metadata)}, result.Checks...)
	}
	return result, err
}

// testInput puts t, what it is tested with and the root of its operand on
// disk.
func (b *Builder) testInput(ctx context.Context, t Trial, with company) (pgtest.Input, error) {
	roots, err := b.roots.get("", func() (*rootfs.Store, error) {
		return rootfs.Open(b.o.Cache, rootfs.Options{Jobs: b.o.Jobs})
	})
	if err != nil {
		return pgtest.Input{}, err
	}
	in := pgtest.Input{Postgres: t.Metadata.Postgres, Suite: with.suite}
	in.Emulator, _ = sandbox.FindEmulator(t.Metadata.Arch)
	if in.Root, in.Version, err = b.operandRoot(ctx, roots, t); err != nil {
		return in, err
	}
	if in.Image, err = b.unpackImage(ctx, roots, t); err != nil {
		return in, err
	}
	for _, r := range with.missing {
		in.Lacking = append(in.Lacking, r.Extension)
	}
	for _, o := range with.others {
		i, err := b.unpackImage(ctx, roots, o)
		if err != nil {
			return in, err
		}
		in.Others = append(in.Others, i)
	}
	in.Script, err = testScript(t.Recipe)
	return in, err
}

func (b *Builder) unpackImage(ctx context.Context, roots *rootfs.Store, t Trial) (pgtest.Image, error) {
	digest, err := t.Image.Digest()
	if err != nil {
		return pgtest.Image{}, err
	}
	dir, err := roots.FromImage(ctx, digest.String(), func() (filetree.Tree, error) {
		flat, err := image.Flatten(ctx, t.Image, image.FlattenOptions{Cache: b.o.Cache})
		return flat.Tree, err
	})
	return pgtest.Image{Metadata: t.Metadata, Dir: dir}, err
}
