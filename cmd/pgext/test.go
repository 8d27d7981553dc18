package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/atomicfile"
	"github.com/pgext/pgext/internal/imagetest"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/session"
)

type testFlags struct {
	selectionFlags
	resolvingFlags
	output       string
	requireImage []string
	junit        string
	from         string
	base         string
	suite        regressFlags
	// timeout is how long a script may take; 0 is the default.
	timeout time.Duration
}

const testHelp = `Try images out on a real PostgreSQL server, mounted and configured as
CloudNativePG does it. The server comes from the same packages as the operand
image and runs in Linux namespaces: no Docker, no root, no network.

Every extension is created in a database of its own, all that manifests ask for
in one, modules are loaded, output plugins decode a change, old versions are
updated, the recipe's test.sql runs, the server restarts, extensions are
dropped, and the server's log is judged.

A RECIPE is built into DIR first. Images that another one requires are looked
for among the arguments, in DIR and among --require-image. Images for other
architectures run under qemu-user if it is installed; otherwise only their files
are checked, and the server checks are reported as skipped. If a check fails, the
exit code is 3 and the log of the server is DIR/<image>/<tag>-<arch>.test.log.

With --from an upgrade is tried as well: what OLD has is created and used, the
server stops and starts with the new image on the same data directory, every
extension is used before and after ALTER EXTENSION UPDATE. OLD is an image, the
TAG of another image beside the one that is tested, HOST/NAME or "previous" for
the newest before it in that repository, or in its own.

With --regress the extension's own regression suite runs as well, as
"make installcheck" would in that source tree: its Makefile's variables are
read (no make, no pg_regress, no compiler), tests run in the sandbox. Where
output differs, the diffs are in DIR/<image>/<tag>-<arch>.regression.diffs.`

func (a *app) testCommand() *cobra.Command {
	var f testFlags
	cmd := &cobra.Command{
		Use:   "test RECIPE|IMAGE...",
		Short: "Try images out on a real PostgreSQL server",
		Long:  testHelp,
		Example: `  pgext test recipes/pgvector --distro forky
  pgext test registry.example.com/extensions/pgvector:0.8.1-18-trixie
  pgext test dist/pgrouting --require-image dist/postgis --junit report.xml
  pgext test recipes/pgvector --from registry.example.com/extensions/pgvector
  pgext test registry.example.com/extensions/pgvector:0.8.1-18-trixie --from 0.8.0-18-trixie
  pgext test recipes/pgvector --distro forky --regress ~/src/pgvector`,
		Args: atLeastOne("a recipe or an image"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runTests(cmd.Context(), args, f) },
	}
	fs := cmd.Flags()
	f.selectionFlags.bind(fs)
	f.resolvingFlags.bind(fs)
	fs.StringVar(&f.output, "output", "dist", "folder for the images of recipes, and for the logs of failed tests")
	fs.StringArrayVar(&f.requireImage, "require-image", nil, "image that others may require")
	fs.StringVar(&f.from, "from", "", "image to upgrade from: IMAGE, HOST/NAME, TAG, or \"previous\"")
	fs.StringVar(&f.base, "base", "", "test images on this operand: cnpg-minimal or image:REF")
	f.suite.bind(fs)
	fs.DurationVar(&f.timeout, "timeout", 0, "how long test.sql, and each test of a regression suite, may take (default 2m and 5m)")
	fs.StringVar(&f.junit, "junit", "", "write a JUnit report to this file")
	return cmd
}

// runTests builds, tests and reports.
func (a *app) runTests(ctx context.Context, args []string, f testFlags) error {
	if err := checkBase(f.base); err != nil {
		return err
	}
	if f.timeout < 0 {
		return usageErrorf("--timeout %v is no time to wait", f.timeout)
	}
	suite, err := f.suite.suite(args)
	if err != nil {
		return err
	}
	ses, err := a.newSession(f.resolvingFlags, imageFlags{})
	if err != nil {
		return err
	}
	subjects, failures, err := a.testSubjects(ctx, ses, args, f)
	if err != nil {
		return err
	}
	if len(subjects) == 0 {
		return a.reportTests(nil, failures, f)
	}
	if subjects, err = withSuite(subjects, suite); err != nil {
		return err
	}
	if err := a.addPredecessors(ctx, subjects, f.from); err != nil {
		return err
	}
	others, err := a.testCompanions(ctx, ses, subjects, f)
	if err != nil {
		return err
	}
	outcomes, err := a.test(ctx, ses, subjects, others, f.timeout)
	if err != nil {
		return err
	}
	return a.reportTests(outcomes, failures, f)
}

// outcome is the result of testing one subject.
type outcome struct {
	subject
	pgtest.Result
	// log is where the server's log was kept, diffs where the differences of a
	// regression suite were.
	log, diffs string
	// err reports that it could not be tested.
	err error
}

// test tests the subjects, several at a time; all are the images that they may
// require. The error is ctx's: one that cannot be tested keeps no other.
func (a *app) test(ctx context.Context, ses *session.Session, subjects []subject, all []imagetest.Subject, timeout time.Duration) ([]outcome, error) {
	out := make([]outcome, len(subjects))
	live := &liveLines{app: a}
	var group errgroup.Group
	group.SetLimit(a.global.jobs)
	for i, s := range subjects {
		group.Go(func() error {
			result, err := imagetest.New(ses).Test(ctx, imagetest.Request{
				Subject: s.Subject, Images: all, From: s.from, Suite: s.suite, Timeout: timeout,
				Report: func(c pgtest.Check) { live.show(s, c) },
			})
			out[i] = outcome{subject: s, Result: result, err: err}
			return ctx.Err()
		})
	}
	return out, group.Wait()
}

// liveLines shows each check on a terminal as soon as it is known.
type liveLines struct {
	app *app
	mu  sync.Mutex
}

func (l *liveLines) show(s subject, c pgtest.Check) {
	if !l.app.isTerminal() && !l.app.global.verbose {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.app.printLines("", fmt.Sprintf("%s %s: %s %s (%.1fs)", s.Metadata.Name, s.Metadata.Arch, c.Status, c.Name, c.Seconds))
}

// keep writes the log of a failed test, and what its regression suite printed
// otherwise than expected.
func (o *outcome) keep(dir string) (err error) {
	log := o.Log
	if !o.Failed() {
		log = nil
	}
	if o.log, err = o.keepFile(dir, "test.log", log); err == nil {
		o.diffs, err = o.keepFile(dir, "regression.diffs", o.Diffs)
	}
	if err != nil {
		return fmt.Errorf("keeping the log of %s: %w", o.Name, err)
	}
	return nil
}

// keepFile writes a file beside the image and returns its path; one that is
// empty is not written, and one of an earlier test removed.
func (o *outcome) keepFile(dir, suffix string, content []byte) (string, error) {
	path := filepath.Join(dir, o.logName(suffix))
	if len(content) == 0 {
		err := os.Remove(path)
		if os.IsNotExist(err) {
			err = nil
		}
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, atomicfile.Write(path, content)
}

// logName is the name of a file about the image, below the output folder.
func (o *outcome) logName(suffix string) string {
	safe := metadata.SanitizeTag // an image says what it likes about itself
	return filepath.Join(safe(o.Metadata.Image), fmt.Sprintf("%s-%s.%s", safe(o.tag), safe(o.Metadata.Arch), suffix))
}
