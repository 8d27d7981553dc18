package builder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/rootfs"
	"github.com/pgext/pgext/internal/sandbox"
)

// Company is what an image is tested with.
type Company struct {
	// Others are mounted beside it.
	Others []Trial
	// Missing is what it requires and none of them has.
	Missing []metadata.Requirement
	// Suite is a regression suite that runs as well; nil is none.
	Suite *pgtest.Suite
	// Timeout is that of pgtest.Options.
	Timeout time.Duration
	// Report hears of each check as soon as it is known; nil discards.
	Report func(pgtest.Check)
}

// Test tries t out on a real server.
func (b *Builder) Test(ctx context.Context, t Trial, with Company) (pgtest.Result, error) {
	result, err := b.test(ctx, t, with)
	if err != nil {
		return result, fmt.Errorf("testing %s for %s: %w", t.Name, t.Metadata.Arch, err)
	}
	return result, nil
}

func (b *Builder) test(ctx context.Context, t Trial, with Company) (pgtest.Result, error) {
	in, err := b.testInput(ctx, t, with)
	if err != nil {
		return pgtest.Result{}, err
	}
	result, err := pgtest.Run(ctx, in, pgtest.Options{Cache: b.o.Cache, Timeout: with.Timeout, Report: with.Report})
	if t.Derived {
		result.Checks = append([]pgtest.Check{pgtest.Unlabelled(t.Metadata)}, result.Checks...)
	}
	return result, err
}

// testInput puts t, what it is tested with and the root of its operand on
// disk.
func (b *Builder) testInput(ctx context.Context, t Trial, with Company) (pgtest.Input, error) {
	roots, err := b.roots.get("", func() (*rootfs.Store, error) {
		return rootfs.Open(b.o.Cache, rootfs.Options{Jobs: b.o.Jobs})
	})
	if err != nil {
		return pgtest.Input{}, err
	}
	in := pgtest.Input{Postgres: t.Metadata.Postgres, Suite: with.Suite}
	in.Emulator, _ = sandbox.FindEmulator(t.Metadata.Arch)
	if in.Root, in.Version, err = b.operandRoot(ctx, roots, t); err != nil {
		return in, err
	}
	if in.Image, err = b.unpackImage(ctx, roots, t); err != nil {
		return in, err
	}
	for _, r := range with.Missing {
		in.Lacking = append(in.Lacking, r.Extension)
	}
	for _, o := range with.Others {
		i, err := b.unpackImage(ctx, roots, o)
		if err != nil {
			return in, err
		}
		in.Others = append(in.Others, i)
	}
	if t.Recipe != nil && t.Recipe.Test.SQL != "" {
		script, err := os.ReadFile(filepath.Join(filepath.Dir(t.Recipe.Path), filepath.FromSlash(t.Recipe.Test.SQL)))
		if err != nil {
			return in, fmt.Errorf("reading test.sql: %w", err)
		}
		in.Script = string(script)
	}
	return in, nil
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
