package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/regress"
	"github.com/pgext/pgext/internal/sandbox"
)

// Suite is a regression suite for pg_regress.
type Suite struct {
	// Dir is the folder of the extension's source tree.
	Dir string
	// Tests replace the tests that its Makefile names; Options are additional
	// arguments of pg_regress.
	Tests, Options []string
}

// regression is the run of a suite on its own server.
type regression struct {
	*run
	suite regress.Suite
	// version is a note about a source tree of another version than the image's.
	version string
	// started is the error of the server's start. It starts early, since some tests
	// expect a server that has run for a while.
	started error
	diffs   diffs
}

// openSuite starts a server with a copy of the suite's source tree and reads the
// suite, for which its Makefile may run shell commands in the sandbox.
func openSuite(ctx context.Context, in Input, o Options) (*regression, error) {
	root, err := os.OpenRoot(in.Suite.Dir)
	if err != nil {
		return nil, fmt.Errorf("reading the regression suite: %w", err)
	}
	defer root.Close() //nolint:errcheck // it was read only
	s, err := newServer(ctx, in, o)
	if err != nil {
		return nil, err
	}
	r := &regression{run: &run{in: in, options: o, server: s}}
	if err := r.read(ctx, root); err != nil {
		s.close()
		return nil, err
	}
	r.started = s.start(ctx)
	return r, nil
}

// platforms are the platforms that PostgreSQL's configure script detects on Debian's
// architectures, as far as they are known.
var platforms = map[string]string{
	"amd64": "x86_64-pc-linux-gnu", "arm64": "aarch64-unknown-linux-gnu", "ppc64el": "powerpc64le-unknown-linux-gnu",
	"s390x": "s390x-ibm-linux-gnu", "riscv64": "riscv64-unknown-linux-gnu",
}

func (r *regression) read(ctx context.Context, root *os.Root) error {
	if err := r.server.copyTree(ctx, root, r.in.Postgres, r.in.Version); err != nil {
		return fmt.Errorf("copying %s: %w", r.in.Suite.Dir, err)
	}
	ctx, cancel := context.WithTimeout(ctx, r.server.timeout(readTime))
	defer cancel()
	var err error
	r.suite, err = regress.Read(root.FS(), regress.Options{
		Dir: suiteDir, Version: r.in.Version, Platform: platforms[r.in.Image.Metadata.Arch], Tests: r.in.Suite.Tests, Options: r.in.Suite.Options,
		Shell: func(command string) (string, error) { return r.server.shell(ctx, command) },
	})
	if err != nil {
		return err
	}
	r.version = otherVersion(root.FS(), r.in.Image.Metadata)
	return r.configure(root.FS())
}

// defaultVersion matches a default version that is not a template variable.
var defaultVersion = regexp.MustCompile(`(?m)^\s*default_version\s*=\s*'([^'@%$]+)'`)

// otherVersion returns a note if a source tree has another version of an extension
// than the image.
func otherVersion(tree fs.FS, m metadata.Metadata) string {
	for _, e := range m.Extensions {
		text, err := regress.ReadFile(tree, e.Name+".control")
		if err != nil {
			continue
		}
		if found := defaultVersion.FindSubmatch(text); found != nil && string(found[1]) != e.Version {
			return fmt.Sprintf("the source tree has %s %s, the image has %s", e.Name, found[1], e.Version)
		}
	}
	return ""
}

// configure adds the parameters of the suite's --temp-config to the server's
// arguments.
func (r *regression) configure(tree fs.FS) error {
	in, more := r.in, map[string]string{"log_line_prefix": "%m [%p] "} // the default, which tests may print
	for _, name := range r.suite.Configs {
		text, err := regress.ReadFile(tree, name)
		if err != nil {
			return err
		}
		for _, p := range parameters(string(text)) {
			switch {
			case p.name == "shared_preload_libraries":
				in.Preload = appendNew(in.Preload, splitList(p.value)...)
			case slices.Contains(reserved, p.name):
				r.suite.Notes = append(r.suite.Notes, fmt.Sprintf("%s: %s is ignored", name, p.name))
			default:
				more[p.name] = p.value
			}
		}
	}
	merged, _ := metadata.Merge(in.metadata())
	r.server.args, _ = in.command(merged)
	for _, name := range slices.Sorted(maps.Keys(more)) {
		r.server.args = append(r.server.args, "-c", name+"="+more[name])
	}
	return nil
}

// addTo runs the suite and adds its checks, differences and advice to a result.
func (r *regression) addTo(ctx context.Context, result *Result) error {
	for i, b := range r.batches() {
		if i == 0 {
			b.notes = r.notes()
		}
		if !r.has(b) {
			detail := fmt.Sprintf("%d tests are not run, since the operand has no %s: %s", len(b.Tests), b.kind.program, strings.Join(b.Tests, " "))
			r.add(Check{Name: b.kind.name + " suite", Status: Skip, Detail: detail})
			continue
		}
		r.prepare(ctx, b)
		r.runBatch(ctx, b)
	}
	if r.suite.TAP {
		r.add(Check{Name: "regress tap", Status: Skip, Detail: "TAP_TESTS are not run, since they need prove"})
	}
	log := r.server.log.since(0)
	r.checkCrashes(log)
	result.Checks = append(result.Checks, r.result.Checks...)
	result.Diffs = r.diffs.Bytes()
	for _, a := range r.advice {
		if !slices.ContainsFunc(result.Advice, func(b Advice) bool { return b.Text == a.Text }) {
			result.Advice = append(result.Advice, a)
		}
	}
	if r.result.Failed() {
		result.Log = append(append(result.Log, "\n-- the server of the regression suite --\n"...), log...)
	}
	return ctx.Err()
}

// has reports whether the operand has the program that runs a batch.
func (r *regression) has(b batch) bool {
	root, err := os.OpenRoot(r.in.Root)
	if err != nil {
		return false
	}
	defer root.Close() //nolint:errcheck // nothing is written
	return hasProgram(root, strings.TrimPrefix(b.kind.path(r.in.Postgres), "/"))
}

// notes returns the notes about the whole suite.
func (r *regression) notes() []string {
	if r.version == "" {
		return r.suite.Notes
	}
	return append(slices.Clone(r.suite.Notes), r.version)
}

// prepare checks that the server has started, then creates databases and roles as
// pg_regress does.
func (r *regression) prepare(ctx context.Context, b batch) {
	r.check(ctx, b.kind.name+" suite", func(ctx context.Context) (string, error) {
		err := r.started
		if err == nil {
			a := r.server.session(ctx, "postgres", b.setup()...)
			err = a.stepError()
		}
		if err != nil {
			r.down = "the suite's server or its databases could not be created"
			return "", err
		}
		if len(b.notes) > 0 {
			return "", noteError{errors.New(strings.Join(b.notes, "\n"))}
		}
		return "", nil
	})
}

// runBatch runs the tests of a batch.
func (r *regression) runBatch(ctx context.Context, b batch) {
	seen := map[string]int{}
	for _, name := range b.Tests {
		title := b.kind.name + " " + name
		if seen[name]++; seen[name] > 1 {
			title = fmt.Sprintf("%s (%d)", title, seen[name])
		}
		r.runTest(ctx, b, title, name)
	}
}

// runTest runs one test and adds its result.
func (r *regression) runTest(ctx context.Context, b batch, title, name string) {
	do := func(ctx context.Context) (string, error) { return "", r.test(ctx, b, name) }
	r.checkAnd(ctx, title, do, func(c *Check, err error, mark int) {
		if errors.As(err, new(*sandbox.ExitError)) {
			r.server.awaitCrash(ctx, mark)
		}
		log := r.server.log.since(mark)
		if lines := crashLines(log); len(lines) > 0 {
			c.Detail = "the server crashed: " + lines[0] + "\n" + c.Detail
		}
		if found := failedLoad.FindAllString(c.Detail, -1); len(found) > 0 {
			r.diagnose(strings.Join(found, "\n"), "")
		}
	})
}

// failedLoad matches unexpected lines in a test's output about a missing file.
var failedLoad = regexp.MustCompile(`(?m)^\+.*(could not load library|cannot open shared object file|could not open file "/).*$`)

// checkCrashes looks for crashes in the log of the suite's server. It ignores
// errors, which tests cause intentionally.
func (r *regression) checkCrashes(log string) {
	const most = 5
	if bad := crashLines(log); len(bad) > 0 {
		r.add(Check{Name: "regress log", Status: Fail, Detail: shorten(bad, most)})
	} else if r.down == "" {
		r.add(Check{Name: "regress log", Status: Pass})
	}
}

// crashLines returns the messages about crashes in a log with any
// log_line_prefix.
func crashLines(log string) []string {
	var out []string
	for line := range strings.Lines(log) {
		_, panics, isPanic := strings.Cut(line, "PANIC:  ")
		_, text, isLog := strings.Cut(line, "LOG:  ")
		switch {
		case isPanic:
			out = append(out, "PANIC: "+strings.TrimSpace(panics))
		case isLog && crash.MatchString(text):
			out = append(out, strings.TrimSpace(text))
		}
	}
	return out
}

// errMissing means that a file of a test does not exist.
var errMissing = errors.New("does not exist; a rule of the Makefile may make it")
