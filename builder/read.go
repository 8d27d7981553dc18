package builder

import (
	"context"
	"fmt"
	"strings"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/survey"
)

// static are the checks that need no server, with the findings that each is
// about.
var static = []struct {
	name  string
	codes string
}{
	{"layers", "PGX040 PGX042 PGX045 PGX050 PGX051"},
	{"files", "PGX005 PGX041 PGX043 PGX044 PGX047 PGX052 PGX055"},
	{"objects", "PGX003 PGX054"},
	{"extensions", "PGX023 PGX024 PGX025 PGX031 PGX032 PGX046"},
	{"label", "PGX048 PGX049"},
	{"libraries", "PGX001 PGX002 PGX053"},
}

// broken are findings below an error that no image of this kind can work with:
// it does not hold what its own label says.
const broken = "PGX046 PGX049"

// Read judges t by its files alone, for a machine that cannot run it: what why
// says is the check that did not run.
func (b *Builder) Read(ctx context.Context, t Trial, why string) (pgtest.Result, error) {
	result, err := b.read(ctx, t)
	if err != nil {
		return result, fmt.Errorf("reading %s for %s: %w", t.Name, t.Metadata.Arch, err)
	}
	result.Checks = append(result.Checks, pgtest.Check{Name: pgtest.NotRun, Status: pgtest.Skip, Detail: why})
	return result, nil
}

func (b *Builder) read(ctx context.Context, t Trial) (pgtest.Result, error) {
	artifact, err := image.FromImage(t.Image)
	if err != nil {
		return pgtest.Result{}, err
	}
	s, err := survey.Take(ctx, artifact, survey.Options{Cache: b.o.Cache})
	if err != nil {
		return pgtest.Result{}, err
	}
	i := s.Images[0]
	more, unknown := b.judgeLibraries(ctx, t, i)
	if ctx.Err() != nil {
		return pgtest.Result{}, ctx.Err()
	}
	findings := append(i.Findings, more...)
	var result pgtest.Result
	for _, group := range static {
		c, advice := judged(group.name, group.codes, findings)
		if group.name == "label" && t.Derived {
			c = derivation(t.Metadata)
		}
		if group.name == "libraries" && unknown != nil && c.Status == pgtest.Pass {
			c.Status, c.Detail = pgtest.Skip, unknown.Error()
		}
		result.Checks, result.Advice = append(result.Checks, c), append(result.Advice, advice...)
	}
	return result, nil
}

// judged is the check of one kind of findings. Notes are not worth telling
// here: inspect and lint do.
func judged(name, codes string, all []finding.Finding) (pgtest.Check, []pgtest.Advice) {
	c := pgtest.Check{Name: name, Status: pgtest.Pass}
	var lines []string
	var advice []pgtest.Advice
	for _, f := range finding.Sort(all) {
		switch {
		case !strings.Contains(codes, f.Code) || f.Severity == finding.Note:
			continue
		case f.Severity == finding.Error || strings.Contains(broken, f.Code):
			c.Status = pgtest.Fail
		case c.Status == pgtest.Pass:
			c.Status = pgtest.Note
		}
		f.Arch = ""
		lines = append(lines, f.String())
		if f.Hint != "" {
			advice = append(advice, pgtest.Advice{Text: f.Hint})
		}
	}
	c.Detail = strings.Join(lines, "\n")
	return c, advice
}

// judgeLibraries looks for the libraries that the image needs in the base that
// it was built for: as its lock knows it, else as it is now.
func (b *Builder) judgeLibraries(ctx context.Context, t Trial, i survey.Image) ([]finding.Finding, error) {
	if pins, ok := t.pins(); ok {
		return judgeLocked(ctx, i, pins)
	}
	r, target := t.target()
	return b.JudgeFinished(ctx, Finished{
		Distro: target.Distro, Postgres: target.Postgres, Arch: t.Metadata.Arch, Base: target.BaseFor(t.Metadata.Arch),
		Roots: i.Roots, Own: i.Own, Recipe: r,
	})
}
