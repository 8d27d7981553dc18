package builder

import (
	"context"
	"fmt"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/inspect"
	"github.com/pgext/pgext/internal/pgtest"
)

// read judges t by its files alone, for a machine that cannot run it: what why
// says is the check that did not run.
func (b *Builder) read(ctx context.Context, t Trial, why string) (pgtest.Result, error) {
	fail := func(err error) (pgtest.Result, error) {
		return pgtest.Result{}, fmt.Errorf("reading %s for %s: %w", t.Name, t.Metadata.Arch, err)
	}
	artifact, err := image.FromImage(t.Image)
	if err != nil {
		return fail(err)
	}
	s, err := inspect.Take(ctx, artifact, inspect.Options{Cache: b.o.Cache})
	if err != nil {
		return fail(err)
	}
	in := pgtest.Reading{Why: why}
	if t.Derived {
		in.Unlabelled = &t.Metadata
	}
	i := s.Images[0]
	more, err := b.judgeLibraries(ctx, t, i)
	if ctx.Err() != nil {
		return fail(ctx.Err())
	}
	in.Findings, in.Unknown = append(i.Findings, more...), err
	return pgtest.ByFiles(in), nil
}

// judgeLibraries looks for the libraries that the image needs in the base that
// it was built for: as its lock knows it, else as it is now.
func (b *Builder) judgeLibraries(ctx context.Context, t Trial, i inspect.Image) ([]finding.Finding, error) {
	if pins, ok := t.pins(); ok {
		return judgeLocked(ctx, i, pins)
	}
	r, target := t.target()
	return b.judgeFinished(ctx, finished{
		distro: target.Distro, postgres: target.Postgres, arch: t.Metadata.Arch, base: target.BaseFor(t.Metadata.Arch),
		roots: i.Roots, own: i.Own, recipe: r,
	})
}
