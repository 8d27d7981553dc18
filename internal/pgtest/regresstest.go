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

// noSuchTest is the exit code of testScript when there is no test of that name.
const noSuchTest = 66

// testScript runs one test as psql_start_test of PostgreSQL 18 does it
// (pg_regress_main.c). Its arguments are the folders of output and input, the
// test, the database, psql and a launcher.
const testScript = `file=$1/sql/$3.sql
[ -f "$file" ] || file=$2/sql/$3.sql
[ -f "$file" ] || exit 66
out=$1/results/$3.out
mkdir -p "${out%/*}" || exit 67
exec $6 "$5" -X -a -q -d "$4" -v HIDE_TABLEAM=on -v HIDE_TOAST_COMPRESSION=on <"$file" >"$out" 2>&1
`

// test runs a test and compares what it printed. The error says what is wrong,
// with the head of the difference below it.
func (r *regression) test(ctx context.Context, name string) error {
	most := r.server.patience(cmp.Or(r.options.Timeout, testTime))
	own, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	s := r.suite
	err := r.server.sandbox.Run(own, sandbox.Command{
		Args: []string{"/bin/sh", "-c", testScript, "sh", s.OutputDir, s.InputDir, name, s.Databases[0], bin(r.in.Postgres, "psql"), s.Launcher},
		Env:  r.environment(name), Dir: suiteDir,
	})
	var exit *sandbox.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case own.Err() != nil:
		r.server.endSessions(ctx)
		r.explain(moreTime)
		return &unfinishedError{most}
	case errors.As(err, &exit) && exit.Code == noSuchTest:
		return fmt.Errorf("%s %w", path.Join(s.InputDir, "sql", name+".sql"), errMissing)
	case err != nil && exit == nil:
		return err
	case exit != nil:
		exit.Program = "psql" // which the shell has become
	}
	differs := r.compare(ctx, name)
	if exit == nil {
		return differs
	}
	if differs != nil {
		return fmt.Errorf("%w; what it printed %w", exit, differs)
	}
	return exit
}

// environment is what initialize_environment of PostgreSQL 18 sets, on top of
// what the server has: programs of the images are found by tests too.
func (r *regression) environment(test string) []string {
	s := r.suite
	env := slices.DeleteFunc(slices.Clone(r.server.env), func(v string) bool {
		return s.NoLocale && strings.HasPrefix(v, "LANG=")
	})
	for i, v := range env {
		if rest, ok := strings.CutPrefix(v, "PATH="); ok {
			env[i] = "PATH=" + rest + ":" + path.Dir(bin(r.in.Postgres, "psql")) + ":" + helpers
		}
	}
	user := "postgres"
	if s.User != "" {
		user = s.User
	}
	env = append(
		env, "PGHOST=/run/postgresql", "PGUSER="+user, "PGAPPNAME=pg_regress/"+test,
		"PG_ABS_SRCDIR="+path.Join(suiteDir, s.InputDir), "PG_ABS_BUILDDIR="+path.Join(suiteDir, s.OutputDir),
		fmt.Sprintf("PG_LIBDIR=/usr/lib/postgresql/%d/lib", r.in.Postgres), "PG_DLSUFFIX=.so",
		"LC_MESSAGES=C", "PGTZ=America/Los_Angeles", "PGDATESTYLE=Postgres, MDY", "PGOPTIONS=-c intervalstyle=postgres_verbose",
	)
	if s.Encoding != "" {
		env = append(env, "PGCLIENTENCODING="+s.Encoding)
	}
	return env
}

// compare compares the output of a test with what was expected, the way of
// results_differ in pg_regress.c: the file of that name, or the one that
// resultmap has for this platform, or one of ten alternatives. The difference
// to the nearest one is kept.
func (r *regression) compare(ctx context.Context, name string) error {
	results := path.Join(r.suite.OutputDir, "results", name+".out")
	expected, err := r.expected(ctx, name)
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
func (r *regression) expected(ctx context.Context, name string) ([]string, error) {
	s := r.suite
	var candidates []string
	for _, dir := range []string{s.ExpectedDir, s.InputDir} {
		standard := path.Join(dir, "expected", name+".out")
		candidates = append(candidates, standard)
		if other := s.ResultMap[name]; other != "" {
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
		if s.ResultMap[name] != "" { // the standard one is the last resort
			list = append(slices.Clone(list[1:]), list[0])
		}
		return slices.DeleteFunc(slices.Clone(list), func(f string) bool { return !slices.Contains(there, f) }), nil
	}
	return nil, fmt.Errorf("cannot be judged: %s %w", candidates[half], errMissing)
}
