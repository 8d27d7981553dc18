package imagetest

import (
	"context"
	"fmt"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/inspect"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/session"
)

// CheckFiles checks t by its files alone, for a machine that cannot run its
// server; why is the reason.
func (ts *Tester) CheckFiles(ctx context.Context, t Subject, why string) (pgtest.Result, error) {
	fail := func(err error) (pgtest.Result, error) {
		return pgtest.Result{}, fmt.Errorf("reading %s for %s: %w", t.Name, t.Metadata.Arch, err)
	}
	artifact, err := oci.FromImage(t.Image)
	if err != nil {
		return fail(err)
	}
	s, err := inspect.Inspect(ctx, artifact, ts.s.Cache)
	if err != nil {
		return fail(err)
	}
	in := pgtest.Reading{Why: why}
	if t.Derived {
		in.Unlabelled = &t.Metadata
	}
	i := s.Images[0]
	more, err := ts.checkLibraries(ctx, t, i)
	if ctx.Err() != nil {
		return fail(ctx.Err())
	}
	in.Findings, in.Unknown = append(i.Findings, more...), err
	return pgtest.ByFiles(in), nil
}

// checkLibraries looks for the libraries that the image needs in the base that
// it was built for: as its lock knows it, else as it is now.
func (ts *Tester) checkLibraries(ctx context.Context, t Subject, i inspect.Image) ([]finding.Finding, error) {
	files := session.ELFFiles{Arch: t.Metadata.Arch, Roots: i.Roots, Own: i.Own}
	if pins, ok := t.pins(); ok {
		return session.CheckLockedLibraries(ctx, files, pins)
	}
	r, target := t.target()
	return ts.s.CheckLibraries(ctx, files, session.LibraryTarget{
		Distro: target.Distro, Postgres: target.Postgres, Base: target.BaseFor(t.Metadata.Arch), Recipe: r,
	})
}
