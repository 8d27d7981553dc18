package pgtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/metadata"
)

// run is the test of one image on one server.
type run struct {
	in      Input
	options Options
	server  *server
	known   catalog
	// databases are the databases in which extensions were created, by extension.
	databases map[string]string
	// created are these extensions, in the order of their creation.
	created []string
	// shared is the database with all extensions that manifests create.
	shared string
	// dropped are the extensions that were dropped.
	dropped map[string]bool
	result  Result
	advice  []Advice
	// preload are libraries that may have to be preloaded.
	preload []string
	// from is the old image of an upgrade; nil otherwise.
	from *metadata.Metadata
	// down is the reason for which no server runs; "" while one runs.
	down string
}

// all runs every check. The error is from ctx.
func (r *run) all(ctx context.Context) error {
	r.databases, r.dropped = map[string]string{}, map[string]bool{}
	m := r.in.Image.Metadata
	r.conflicts()
	r.check(ctx, "start", r.start)
	r.check(ctx, "available", r.available)
	for _, e := range m.Extensions {
		if missing := r.missingRequirement(e.Name); missing != "" {
			r.add(Check{Name: "create " + e.Name, Status: Skip, Detail: "it requires " + missing})
			continue
		}
		r.check(ctx, "create "+e.Name, func(ctx context.Context) (string, error) { return r.create(ctx, e) })
	}
	if len(m.Create) > 0 && !slices.ContainsFunc(m.Create, func(name string) bool { return r.missingRequirement(name) != "" }) {
		r.check(ctx, "create "+together, r.together)
	}
	for _, name := range r.loadable() {
		r.check(ctx, "load "+name, func(ctx context.Context) (string, error) { return r.load(ctx, name) })
	}
	for _, name := range m.OutputPlugins {
		r.check(ctx, "decode "+name, func(ctx context.Context) (string, error) { return r.decode(ctx, name) })
	}
	if r.in.Script != "" {
		r.check(ctx, "test.sql", r.script)
	}
	r.check(ctx, "restart", r.restart)
	for _, name := range slices.Backward(r.created) { // dependents first
		r.check(ctx, "drop "+name, func(ctx context.Context) (string, error) { return r.drop(ctx, name, r.databases[name]) })
	}
	for _, o := range r.oldVersions() {
		r.check(ctx, "update "+o.name+" "+o.version, func(ctx context.Context) (string, error) { return r.update(ctx, o) })
	}
	r.checkLog(ctx, "log")
	return ctx.Err()
}

// together is the database with all extensions that manifests create, and the name
// of the check that creates them.
const together = "together"

// conflicts notes the settings for which two images need different values.
func (r *run) conflicts() {
	_, conflicts := metadata.Merge(r.in.metadata())
	if len(conflicts) == 0 {
		return
	}
	lines := make([]string, len(conflicts))
	for i, c := range conflicts {
		lines[i] = c.String()
	}
	r.add(Check{Name: "settings", Status: Note, Detail: strings.Join(lines, "\n")})
}

// noteError is an error that makes a check a Note instead of a Fail.
type noteError struct{ error }

// check runs one check and adds its result, with advice if it fails.
func (r *run) check(ctx context.Context, name string, do func(ctx context.Context) (string, error)) {
	r.checkAnd(ctx, name, do, func(c *Check, err error, mark int) {
		if r.down == "" && connectionLost.MatchString(c.Detail) {
			r.server.awaitCrash(ctx, mark)
		}
		if errors.As(err, new(noteError)) {
			c.Status = Note
		} else {
			r.diagnose(c.Detail, r.server.log.since(mark))
		}
	})
}

// checkAnd runs one check and adds its result. Without a server it is skipped. If
// it fails, failed may change the result; mark is where the server's log was
// before the check.
func (r *run) checkAnd(ctx context.Context, name string, do func(ctx context.Context) (string, error), failed func(c *Check, err error, mark int)) {
	if r.down != "" {
		r.add(Check{Name: name, Status: Skip, Detail: r.down})
		return
	}
	start, mark := time.Now(), r.server.log.mark()
	detail, err := do(ctx)
	c := Check{Name: name, Status: Pass, Detail: detail}
	if err != nil {
		c.Status, c.Detail = Fail, err.Error()
		failed(&c, err, mark)
		r.ensureServer(ctx, mark)
	}
	c.Seconds = time.Since(start).Round(time.Millisecond).Seconds()
	r.add(c)
}

// add adds a check to the result and reports it.
func (r *run) add(c Check) {
	r.result.Checks = append(r.result.Checks, c)
	if r.options.Report != nil {
		r.options.Report(c)
	}
}

// ensureServer starts the server again if a failed check ended it.
func (r *run) ensureServer(ctx context.Context, mark int) {
	if r.down != "" {
		return
	}
	if r.server.running == nil || ctx.Err() != nil {
		r.down = "the server does not run"
		return
	}
	if r.server.alive(ctx, mark) {
		return
	}
	if err := r.server.start(ctx); err != nil {
		r.down = "the server ended and does not start again"
	}
}

func (r *run) start(ctx context.Context) (string, error) {
	if err := r.server.start(ctx); err != nil {
		r.down = "the server does not start"
		return "", err
	}
	return "", nil
}

// create creates an extension in a new database, after the extensions that it
// requires. An extension that allows only the database postgres is created there.
// If objects are missing, the image's main extensions are created before it, which
// its control file should have required.
func (r *run) create(ctx context.Context, e metadata.Extension) (string, error) {
	order := r.known.order(e.Name)
	home, detail := "x_"+e.Name, ""
	err := r.createIn(ctx, home, e, order)
	switch main := r.in.Image.Metadata.Create; {
	case err == nil:
	case firstDatabaseOnly(err):
		home, detail = "postgres", "in the database postgres only"
		err = r.createIn(ctx, home, e, order)
	case undefinedObject(err) && len(main) > 0 && !slices.Contains(main, e.Name):
		var more []string
		for _, name := range main {
			more = appendNew(more, r.known.order(name)...)
		}
		home = "y_" + e.Name
		if slices.ContainsFunc(main, func(name string) bool { return r.databases[name] == "postgres" }) {
			home = "postgres"
		}
		if r.createIn(ctx, home, e, appendNew(more, order...)) == nil {
			detail, err = "after "+strings.Join(main, ", ")+", which its control file does not require", nil
		}
	}
	if err == nil {
		r.databases[e.Name], r.created = home, append(r.created, e.Name)
	}
	return detail, err
}

// firstDatabaseOnly reports whether an extension allows only the database that its
// own parameter names. The default of such parameters is postgres.
func firstDatabaseOnly(err error) bool {
	return strings.Contains(err.Error(), "can only create extension in database")
}

// undefinedObject reports whether the error is an undefined schema, table, function
// or type.
func undefinedObject(err error) bool {
	var e *sqlError
	return errors.As(err, &e) && slices.Contains([]string{"3F000", "42P01", "42704", "42883"}, e.State)
}

// createIn creates the extensions of order, which ends with e, in a database. The
// database is created unless it is postgres.
func (r *run) createIn(ctx context.Context, home string, e metadata.Extension, order []string) error {
	var steps []step
	if home != "postgres" {
		steps = append(steps, step{"creating the database", fmt.Sprintf("CREATE DATABASE %s;\n\\connect %s", ident(home), ident(home))})
	}
	for _, name := range order {
		steps = append(steps, step{name, "CREATE EXTENSION IF NOT EXISTS " + ident(name) + ";"})
	}
	steps = append(steps, step{"version", "SELECT extversion FROM pg_extension WHERE extname = " + literal(e.Name) + ";"})
	a := r.server.session(ctx, "postgres", steps...)
	switch {
	case a.failed == e.Name:
		return a.err
	case a.err != nil:
		return a.stepError()
	case a.output["version"] != e.Version:
		return fmt.Errorf("created version %q, the label has %q", a.output["version"], e.Version)
	}
	return nil
}

// together creates the extensions that manifests create in one database, in their
// order, after required extensions of other images and of the operand.
func (r *run) together(ctx context.Context) (string, error) { return r.createAll(ctx, together) }

// createAll is together with the name of the database.
func (r *run) createAll(ctx context.Context, home string) (string, error) {
	m := r.in.Image.Metadata
	create := "CREATE EXTENSION "
	steps := []step{{"creating the database", fmt.Sprintf("CREATE DATABASE %s;\n\\connect %s", ident(home), ident(home))}}
	if slices.ContainsFunc(m.Create, func(name string) bool { return r.databases[name] == "postgres" }) {
		home, create, steps = "postgres", "CREATE EXTENSION IF NOT EXISTS ", nil
	}
	for _, name := range m.Create {
		for _, required := range r.known.order(name) {
			if !r.own(required) {
				steps = append(steps, step{required, "CREATE EXTENSION IF NOT EXISTS " + ident(required) + ";"})
			}
		}
	}
	for _, name := range m.Create {
		steps = append(steps, step{name, create + ident(name) + ";"})
	}
	if a := r.server.session(ctx, "postgres", steps...); a.err != nil {
		return "", a.stepError()
	}
	r.shared = home
	return strings.Join(m.Create, ", "), nil
}

// script runs the recipe's test script in the database with all extensions.
func (r *run) script(ctx context.Context) (string, error) {
	return "", r.scriptIn(ctx, cmp.Or(r.shared, "postgres"))
}

func (r *run) scriptIn(ctx context.Context, database string) error {
	_, err := r.server.psqlTimeout(ctx, cmp.Or(r.options.Timeout, sessionTime), database, r.in.Script)
	if errors.Is(err, errTimedOut) {
		r.explain(moreTime)
	}
	return err
}

// moreTime is the hint for a script that timed out.
const moreTime = "--timeout sets the limit for test.sql and for each test of a regression suite, for example --timeout 30m"

// restart shuts the server down, starts it again, and checks that every created
// extension still exists.
func (r *run) restart(ctx context.Context) (string, error) {
	if err := r.server.stop(ctx); err != nil {
		return "", err
	}
	if err := r.server.start(ctx); err != nil {
		return "", err
	}
	var steps []step
	for _, name := range r.created {
		steps = append(steps, step{name, fmt.Sprintf("\\connect %s\nSELECT count(*) FROM pg_extension WHERE extname = %s;", ident(r.databases[name]), literal(name))})
	}
	a := r.server.session(ctx, "postgres", steps...)
	if a.err != nil {
		return "", a.stepError()
	}
	for _, s := range steps {
		if a.output[s.name] != "1" {
			return "", fmt.Errorf("the extension %s is missing after the restart", s.name)
		}
	}
	return "", nil
}

func (r *run) drop(ctx context.Context, name, home string) (string, error) {
	sql := "DROP EXTENSION " + ident(name)
	if home == r.shared && r.in.Script != "" {
		sql += " CASCADE" // the script may have made objects that depend on it
	}
	_, err := r.server.query(ctx, home, sql+";")
	if err == nil {
		r.dropped[name] = true
	}
	return "", err
}

// checkLog checks the server's log of the whole run.
func (r *run) checkLog(ctx context.Context, name string) {
	if ctx.Err() != nil {
		return
	}
	const most = 5
	c := Check{Name: name, Status: Pass}
	bad, notes := faults(r.server.log.since(0))
	if n := r.server.log.dropped(); n > 0 {
		notes = append(notes, fmt.Sprintf("%d bytes in the middle of the log were not kept and not checked", n))
	}
	switch {
	case len(bad) > 0:
		c.Status, c.Detail = Fail, shorten(bad, most)
		r.diagnose(c.Detail, "")
	case len(notes) > 0:
		c.Status, c.Detail = Note, shorten(notes, most)
	}
	r.add(c)
}

// shorten sorts and joins lines, at most that many different ones.
func shorten(lines []string, most int) string {
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if len(lines) > most {
		lines = append(lines[:most:most], fmt.Sprintf("and %d more", len(lines)-most))
	}
	return strings.Join(lines, "\n")
}
