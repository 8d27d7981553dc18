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

// testTime is how long one test may take.
const testTime = 5 * time.Minute

// maxText is how large the file of a test may be, what is expected of it and
// what it prints, each in bytes: two of them are in memory at a time.
const maxText = 64 << 20

// The exit codes of testScript when there is no test of that name, and when it
// is too large.
const (
	noSuchTest   = 66
	tooLargeTest = 68
)

// sigxfsz is what ends a program that writes a file which is too large.
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

// largeError says that a file of a test is too large.
type largeError struct{ file string }

func (e *largeError) Error() string {
	return fmt.Sprintf("%s has more than %d MiB, which are not looked at", e.file, maxText>>20)
}

// test runs a test and compares what it printed. The error says what is wrong,
// with the head of the difference below it.
func (r *regression) test(ctx context.Context, b batch, name string) error {
	most := r.server.patience(cmp.Or(r.options.Timeout, testTime))
	own, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	err := r.execute(own, b, name)
	if exit := (*sandbox.ExitError)(nil); err == nil || errors.As(err, &exit) {
		err = join(exit, r.compare(own, b, name))
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case own.Err() != nil:
		r.server.endSessions(ctx)
		r.explain(moreTime)
		return &unfinishedError{b.kind.program, most}
	}
	return err
}

// join is how a test ended and what it printed, in one error.
func join(exit *sandbox.ExitError, differs error) error {
	switch {
	case exit == nil:
		return differs
	case differs == nil:
		return exit
	}
	return fmt.Errorf("%w; what it printed %w", exit, differs)
}

// execute runs a test. The error is an *sandbox.ExitError when its program
// ended otherwise than with 0.
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
		return &largeError{file}
	case exit.Signal == sigxfsz:
		return &largeError{results}
	}
	exit.Program = b.kind.program // which the shell has become
	return exit
}

// results is the file with what a test printed.
func (b batch) results(name string) string { return path.Join(b.OutputDir, "results", name+".out") }

// environment is what initialize_environment of PostgreSQL 18 sets, on top of
// what the server has: programs of the images are found by tests too.
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

// compare compares the output of a test with what was expected, the way of
// results_differ in pg_regress.c: the file of that name, or the one that
// resultmap has for this platform, or one of ten alternatives. The difference
// to the nearest one is kept.
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
	return &differenceError{expected: best, diff: out.String()}
}

// expected are the files that may hold what was expected, in the order in
// which they are tried.
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
		if b.ResultMap[name] != "" { // the standard one is the last resort
			list = append(slices.Clone(list[1:]), list[0])
		}
		return slices.DeleteFunc(slices.Clone(list), func(f string) bool { return !slices.Contains(there, f) }), nil
	}
	return nil, fmt.Errorf("cannot be judged: %s %w", candidates[half], errMissing)
}
