package pgtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/sandbox"
)

// testTime is the time limit of one test.
const testTime = 5 * time.Minute

// maxText limits a test's file, its expected output and its output, each in bytes;
// two of them are in memory at a time.
const maxText = 64 << 20

// The exit codes of testScript for a test that does not exist and for one that is
// too large.
const (
	noSuchTest   = 66
	tooLargeTest = 68
)

// sigxfsz is the signal for a program that writes more than the limit of a file.
const sigxfsz = 25

// testScript runs one test. Its arguments are the test's file in the output
// folder and in the input folder, the database, the program, a launcher, the
// folder and the file of results.
const testScript = `file=$1
[ -f "$file" ] || file=$2
[ -f "$file" ] || exit 66
[ "$(wc -c <"$file")" -le %[1]d ] || exit 68
mkdir -p "$6" || exit 67
ulimit -f %[2]d
%[3]s <"$file" >"$7" 2>&1
`

// tooLarge returns the error for a file of a test that is not compared.
func tooLarge(file string) error { return fmt.Errorf("%s has more than %d MiB", file, maxText>>20) }

// test runs a test and compares its output. The error ends with the head of the
// difference.
func (r *regression) test(ctx context.Context, b batch, name string) error {
	most := r.server.timeout(cmp.Or(r.options.Timeout, testTime))
	own, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	err := r.execute(own, b, name)
	if exit := (*sandbox.ExitError)(nil); err == nil || errors.As(err, &exit) {
		err = joinErrors(exit, r.compare(own, b, name))
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case own.Err() != nil:
		r.server.endSessions(ctx)
		r.explain(moreTime)
		return timedOut(b.kind.program, most)
	}
	return err
}

// joinErrors returns one error about the exit code and the output of a test.
func joinErrors(exit *sandbox.ExitError, difference error) error {
	switch {
	case exit == nil:
		return difference
	case difference == nil:
		return exit
	}
	return fmt.Errorf("%w; the output %w", exit, difference)
}

// execute runs a test. The error is a *sandbox.ExitError if its program failed.
func (r *regression) execute(ctx context.Context, b batch, name string) error {
	input, results := path.Join(b.kind.folder, name+b.kind.ext), b.results(name)
	file := path.Join(b.InputDir, input)
	err := r.server.sandbox.Run(ctx, sandbox.Command{
		Args: []string{
			"/bin/sh", "-c", fmt.Sprintf(testScript, maxText, maxText/512, b.kind.run), "sh",
			path.Join(b.OutputDir, input), file, b.Databases[0], b.kind.path(r.in.Postgres), b.Launcher, path.Dir(results), results,
		},
		Env: r.environment(b, name), Dir: suiteDir,
	})
	var exit *sandbox.ExitError
	switch {
	case !errors.As(err, &exit):
		return err
	case exit.Code == noSuchTest:
		return fmt.Errorf("%s %w", file, errMissing)
	case exit.Code == tooLargeTest:
		return tooLarge(file)
	case exit.Signal == sigxfsz:
		return tooLarge(results)
	}
	exit.Program = b.kind.program // executed by the shell
	return exit
}

// results returns the file with the output of a test.
func (b batch) results(name string) string { return path.Join(b.OutputDir, "results", name+".out") }

// environment returns the server's environment, so that tests find programs of the
// images, and the variables that initialize_environment of PostgreSQL 18 sets.
func (r *regression) environment(b batch, test string) []string {
	env := b.environment(r.server.env)
	for i, v := range env {
		if rest, ok := strings.CutPrefix(v, "PATH="); ok {
			env[i] = "PATH=" + rest + ":" + path.Dir(bin(r.in.Postgres, "psql")) + ":" + helpers
		}
	}
	return append(
		env, "PGHOST=/run/postgresql", "PGAPPNAME="+b.kind.application+test,
		"PG_ABS_SRCDIR="+path.Join(suiteDir, b.InputDir), "PG_ABS_BUILDDIR="+path.Join(suiteDir, b.OutputDir),
		fmt.Sprintf("PG_LIBDIR=/usr/lib/postgresql/%d/lib", r.in.Postgres), "PG_DLSUFFIX=.so",
		"LC_MESSAGES=C", "PGTZ=America/Los_Angeles", "PGDATESTYLE=Postgres, MDY", "PGOPTIONS=-c intervalstyle=postgres_verbose",
	)
}

// compare compares the output of a test with the expected output like results_differ
// in pg_regress.c: the file with the test's name, the one that resultmap has for
// this platform, or one of ten alternatives. The difference to the nearest one is
// kept.
func (r *regression) compare(ctx context.Context, b batch, name string) error {
	results := b.results(name)
	expected, err := r.expected(ctx, b, name)
	if err != nil {
		return err
	}
	best, least := "", 0
	for _, file := range expected {
		var out counter
		same, err := r.server.diff(ctx, &out, file, results)
		switch {
		case err != nil:
			return err
		case same:
			return nil
		case best == "" || out.lines < least:
			best, least = file, out.lines
		}
	}
	var out bytes.Buffer
	if _, err := r.server.diff(ctx, &limited{to: &out, left: maxDiff}, "-U3", "--label="+best, "--label="+results, best, results); err != nil {
		return err
	}
	r.diffs.add(fmt.Sprintf("diff -U3 %s %s\n%s", best, results, out.String()))
	return differs(best, out.String())
}

// expected returns the files with an expected output, in the order in which they
// are compared.
func (r *regression) expected(ctx context.Context, b batch, name string) ([]string, error) {
	var candidates []string
	for _, dir := range []string{b.ExpectedDir, b.InputDir} {
		standard := path.Join(dir, "expected", name+".out")
		candidates = append(candidates, standard)
		if other := b.ResultMap[name]; other != "" {
			standard = path.Join(path.Dir(standard), other)
			candidates = append(candidates, standard)
		}
		ext := path.Ext(standard)
		for i := range 10 {
			candidates = append(candidates, fmt.Sprintf("%s_%d%s", strings.TrimSuffix(standard, ext), i, ext))
		}
	}
	there, err := r.server.present(ctx, candidates)
	if err != nil {
		return nil, err
	}
	half := len(candidates) / 2
	for _, list := range [][]string{candidates[:half], candidates[half:]} {
		if !slices.Contains(there, list[0]) {
			continue
		}
		if b.ResultMap[name] != "" { // the standard file is the last one
			list = append(slices.Clone(list[1:]), list[0])
		}
		return slices.DeleteFunc(slices.Clone(list), func(f string) bool { return !slices.Contains(there, f) }), nil
	}
	return nil, fmt.Errorf("nothing to compare with: %s %w", candidates[half], errMissing)
}
