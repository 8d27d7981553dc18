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
	"time"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/regress"
	"github.com/pgext/pgext/internal/sandbox"
)

// Suite is a regression suite of pg_regress's kind.
type Suite struct {
	// Dir is the source tree it is in.
	Dir string
	// Tests replace those that its Makefile names; Options are more words for
	// pg_regress.
	Tests, Options []string
}

// regression is a suite on a server of its own.
type regression struct {
	*run
	suite regress.Suite
	// version of the extension that the source tree has, where it tells; the
	// image's is another one.
	version string
	// started says whether the server has; it starts early, since there are
	// tests that want it to have been up for a while.
	started error
	diffs   diffs
}

// openSuite lays out a server with a copy of the suite's source tree, and
// reads the suite there: its Makefile may ask a shell. The error is a
// *regress.Error when there is none to read.
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

// platforms are what the configure script of PostgreSQL finds on Debian's
// architectures, where that is not unknown.
var platforms = map[string]string{
	"amd64": "x86_64-pc-linux-gnu", "arm64": "aarch64-unknown-linux-gnu", "ppc64el": "powerpc64le-unknown-linux-gnu",
	"s390x": "s390x-ibm-linux-gnu", "riscv64": "riscv64-unknown-linux-gnu",
}

func (r *regression) read(ctx context.Context, root *os.Root) error {
	if err := r.server.copyTree(ctx, root, r.in.Postgres, r.in.Version); err != nil {
		return fmt.Errorf("copying %s: %w", r.in.Suite.Dir, err)
	}
	ctx, cancel := context.WithTimeout(ctx, r.server.patience(readTime))
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

// defaultVersion is the line of a control file that no rule has to fill in.
var defaultVersion = regexp.MustCompile(`(?m)^\s*default_version\s*=\s*'([^'@%$]+)'`)

// otherVersion returns the version of the image's extensions that a source
// tree has, if it is another one.
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

// configure gives the server what the suite's --temp-config asks for.
func (r *regression) configure(tree fs.FS) error {
	in, more := r.in, map[string]string{"log_line_prefix": "%m [%p] "} // the default, which tests may show
	for _, name := range r.suite.Configs {
		text, err := regress.ReadFile(tree, name)
		if err != nil {
			return err
		}
		for _, p := range parameters(string(text)) {
			switch {
			case p.name == "shared_preload_libraries":
				in.Preload = appendNew(in.Preload, splitList(p.value)...)
			case slices.Contains(given, p.name):
				r.suite.Notes = append(r.suite.Notes, fmt.Sprintf("%s: %s is not heeded", name, p.name))
			default:
				more[p.name] = p.value
			}
		}
	}
	var all []metadata.Metadata
	for _, i := range in.images() {
		all = append(all, i.Metadata)
	}
	merged, _ := metadata.Merge(all)
	r.server.args, _ = in.command(merged)
	for _, name := range slices.Sorted(maps.Keys(more)) {
		r.server.args = append(r.server.args, "-c", name+"="+more[name])
	}
	return nil
}

// into runs the suite and adds what came of it to a result.
func (r *regression) into(ctx context.Context, result *Result) error {
	for i, b := range r.batches() {
		if i == 0 {
			b.notes = r.notes()
		}
		if !r.has(b) {
			detail := fmt.Sprintf("%d tests are not run, since the operand has no %s: %s", len(b.Tests), b.kind.program, strings.Join(b.Tests, " "))
			r.note(Check{Name: b.kind.name + " suite", Status: Skip, Detail: detail})
			continue
		}
		r.prepare(ctx, b)
		r.runBatch(ctx, b)
	}
	if r.suite.TAP {
		r.note(Check{Name: "regress tap", Status: Skip, Detail: "TAP_TESTS are not run, since they need prove"})
	}
	log := r.server.log.since(0)
	r.judge(log)
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

// has tells whether the operand has the program that runs a batch.
func (r *regression) has(b batch) bool {
	root, err := os.OpenRoot(r.in.Root)
	if err != nil {
		return false
	}
	defer root.Close() //nolint:errcheck // nothing is written
	return hasProgram(root, strings.TrimPrefix(b.kind.path(r.in.Postgres), "/"))
}

// notes are what is to be told about the suite as a whole.
func (r *regression) notes() []string {
	if r.version == "" {
		return r.suite.Notes
	}
	return append(slices.Clone(r.suite.Notes), r.version)
}

// prepare sees whether the server has started, then creates databases and
// roles as pg_regress does.
func (r *regression) prepare(ctx context.Context, b batch) {
	c := Check{Name: b.kind.name + " suite", Status: Pass}
	if r.down != "" {
		c.Status, c.Detail = Skip, r.down
		r.note(c)
		return
	}
	start := time.Now()
	err := r.started
	if err == nil {
		a := r.server.session(ctx, "postgres", b.setup()...)
		err = a.fault()
	}
	switch {
	case err != nil:
		c.Status, c.Detail = Fail, err.Error()
		r.down = "the suite's server or its databases are not there"
		r.learn(c, "")
	case len(b.notes) > 0:
		c.Status, c.Detail = Note, strings.Join(b.notes, "\n")
	}
	c.Seconds = seconds(start)
	r.note(c)
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

// runTest runs one test and notes what came of it.
func (r *regression) runTest(ctx context.Context, b batch, title, name string) {
	c := Check{Name: title, Status: Pass}
	if r.down != "" || ctx.Err() != nil {
		c.Status, c.Detail = Skip, r.down
		r.note(c)
		return
	}
	start, mark := time.Now(), r.server.log.mark()
	if err := r.test(ctx, b, name); err != nil {
		c.Status, c.Detail = Fail, err.Error()
		if errors.As(err, new(*sandbox.ExitError)) {
			r.server.settle(ctx, mark)
		}
		log := r.server.log.since(mark)
		if lines := crashLines(log); len(lines) > 0 {
			c.Detail = "the server crashed: " + lines[0] + "\n" + c.Detail
		}
		if found := failedLoad.FindAllString(c.Detail, -1); len(found) > 0 {
			r.learn(Check{Detail: strings.Join(found, "\n")}, "")
		}
		r.revive(ctx, mark)
	}
	c.Seconds = seconds(start)
	r.note(c)
}

// failedLoad are lines that a test printed and should not have, and that tell
// of an image which lacks something.
var failedLoad = regexp.MustCompile(`(?m)^\+.*(could not load library|cannot open shared object file|could not open file "/).*$`)

// judge looks for crashes in the log of the suite's server. Errors are what
// tests are about.
func (r *regression) judge(log string) {
	const most = 5
	if bad := crashLines(log); len(bad) > 0 {
		r.note(Check{Name: "regress log", Status: Fail, Detail: shorten(bad, most)})
	} else if r.down == "" {
		r.note(Check{Name: "regress log", Status: Pass})
	}
}

// crashLines are the messages of a log, whatever log_line_prefix is, that tell of
// a crash.
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

// errMissing says that a test lacks a file.
var errMissing = errors.New("is not there; a rule of the Makefile may make it")
