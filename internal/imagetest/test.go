package imagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/sandbox"
)

// Request is a trial with what there is to try.
type Request struct {
	Subject
	// Images are those that it, or its predecessor, may require.
	Images []Subject
	// From is the image to upgrade from; nil tests no upgrade.
	From *Predecessor
	// Suite is a regression suite that runs as well; nil is none.
	Suite *pgtest.Suite
	// Timeout is that of pgtest.Options.
	Timeout time.Duration
	// Report hears of each check as soon as it is known; nil discards.
	Report func(pgtest.Check)
}

// Test tries an image out on a real server, with what it requires, and the
// upgrade to it. What this machine can start no server for is judged by its
// files.
func (ts *Tester) Test(ctx context.Context, a Request) (pgtest.Result, error) {
	if why, ok := a.runs(); !ok {
		return ts.CheckFiles(ctx, a.Subject, why)
	}
	others, missing := a.Required(a.Images)
	with := setup{others: others, missing: missing, suite: a.Suite, timeout: a.Timeout, report: a.Report}
	result, err := ts.run(ctx, a.Subject, with)
	if refused := (*sandbox.EmulatorError)(nil); errors.As(err, &refused) {
		return ts.CheckFiles(ctx, a.Subject, fmt.Sprintf("%v: %s", refused, refused.Hint()))
	}
	if err == nil {
		var upgraded pgtest.Result
		upgraded, err = ts.upgrade(ctx, a, with)
		result = result.And(upgraded)
	}
	for _, r := range missing {
		result.Checks = append(result.Checks, a.lacks(r))
		if r.Package != "" {
			result.Advice = append(result.Advice, pgtest.Advice{Text: fmt.Sprintf("%s is in the package %s: build an image of it", r, r.Package)})
		}
	}
	return result, err
}

// lacks is the check that something required is there. Where only extensions
// need it that manifests do not ask for, it does not fail the image.
func (t Subject) lacks(r metadata.Requirement) pgtest.Check {
	m := t.Metadata
	c := pgtest.Check{
		Name: "requires " + r.String(), Status: pgtest.Fail,
		Detail: fmt.Sprintf("no image that has %s for %s/%d/%s is among the arguments, in the output folder or named by --require-image",
			r, m.Distro, m.Postgres, m.Arch),
	}
	needing := m.Needing(r)
	asked := slices.ContainsFunc(m.Create, func(name string) bool { return slices.Contains(needing, name) })
	if len(m.Create) > 0 && len(needing) > 0 && !asked {
		c.Status = pgtest.Note
	}
	return c
}
