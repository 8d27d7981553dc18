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

// run is one image on one server.
type run struct {
	in      Input
	options Options
	server  *server
	known   catalog
	// homes are the databases in which extensions were created, by extension.
	homes map[string]string
	// created are those extensions, in the order of their creation.
	created []string
	// shared is the database with all that manifests ask for.
	shared string
	// dropped are the extensions that are no longer there.
	dropped map[string]bool
	result  Result
	advice  []Advice
	// preload are libraries that seem to have to be preloaded.
	preload []string
	// from is the image before, in an upgrade.
	from *metadata.Metadata
	// down says why there is no server any more.
	down string
}

// all runs every check. The error is ctx's.
func (r *run) all(ctx context.Context) error {
	r.homes, r.dropped = map[string]string{}, map[string]bool{}
	m := r.in.Image.Metadata
	r.conflicts()
	r.check(ctx, "start", r.start)
	r.check(ctx, "available", r.available)
	for _, e := range m.Extensions {
		if lacking := r.lacking(e.Name); lacking != "" {
			r.note(Check{Name: "create " + e.Name, Status: Skip, Detail: "it requires " + lacking})
			continue
		}
		r.check(ctx, "create "+e.Name, func(ctx context.Context) (string, error) { return r.create(ctx, e) })
	}
	if len(m.Create) > 0 && !slices.ContainsFunc(m.Create, func(name string) bool { return r.lacking(name) != "" }) {
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
	for _, name := range slices.Backward(r.created) { // what depends on others goes first
		r.check(ctx, "drop "+name, func(ctx context.Context) (string, error) { return r.drop(ctx, name, r.homes[name]) })
	}
	for _, o := range r.old() {
		r.check(ctx, "update "+o.name+" "+o.version, func(ctx context.Context) (string, error) { return r.update(ctx, o) })
	}
	r.log(ctx)
	return ctx.Err()
}

// together names the check that creates several extensions, and its database.
const together = "together"

// conflicts notes what two images want differently of one server.
func (r *run) conflicts() {
	var all []metadata.Metadata
	for _, i := range r.in.images() {
		all = append(all, i.Metadata)
	}
	_, conflicts := metadata.Merge(all)
	if len(conflicts) == 0 {
		return
	}
	lines := make([]string, len(conflicts))
	for i, c := range conflicts {
		lines[i] = c.String()
	}
	r.note(Check{Name: "settings", Status: Note, Detail: strings.Join(lines, "\n")})
}

// noteError is a failure that does not fail the image.
type noteError struct{ error }

// check runs one check and notes what came of it.
func (r *run) check(ctx context.Context, name string, do func(ctx context.Context) (string, error)) {
	c := Check{Name: name, Status: Pass}
	if r.down != "" {
		c.Status, c.Detail = Skip, r.down
		r.note(c)
		return
	}
	start, mark := time.Now(), r.server.log.mark()
	detail, err := do(ctx)
	c.Detail = detail
	if err != nil {
		c.Status, c.Detail = Fail, err.Error()
		if r.down == "" && connectionLost.MatchString(c.Detail) {
			r.server.settle(ctx, mark)
		}
		if errors.As(err, new(noteError)) {
			c.Status = Note
		} else {
			r.learn(c, r.server.log.since(mark))
		}
		r.revive(ctx, mark)
	}
	c.Seconds = seconds(start)
	r.note(c)
}

func (r *run) note(c Check) {
	r.result.Checks = append(r.result.Checks, c)
	if r.options.Report != nil {
		r.options.Report(c)
	}
}

// revive makes sure that there is a server after a failure.
func (r *run) revive(ctx context.Context, mark int) {
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
		r.down = "the server went down and does not start again"
	}
}

func (r *run) start(ctx context.Context) (string, error) {
	if err := r.server.start(ctx); err != nil {
		r.down = "the server does not start"
		return "", err
	}
	return "", nil
}

// create creates an extension in a database of its own, after what it
// requires. One that says so is created in the server's first database; one
// that misses objects gets the image's main extensions first, which its control
// file should have required.
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
		if slices.ContainsFunc(main, func(name string) bool { return r.homes[name] == "postgres" }) {
			home = "postgres"
		}
		if r.createIn(ctx, home, e, appendNew(more, order...)) == nil {
			detail, err = "after "+strings.Join(main, ", ")+", which its control file does not require", nil
		}
	}
	if err == nil {
		r.homes[e.Name], r.created = home, append(r.created, e.Name)
	}
	return detail, err
}

// firstDatabaseOnly tells whether an extension refuses to be in any database
// but the one that a parameter of its names, whose default is postgres.
func firstDatabaseOnly(err error) bool {
	return strings.Contains(err.Error(), "can only create extension in database")
}

// undefinedObject tells whether an error is about a schema, a table, a
// function or a type that is not there.
func undefinedObject(err error) bool {
	var e *SQLError
	return errors.As(err, &e) && slices.Contains([]string{"3F000", "42P01", "42704", "42883"}, e.State)
}

// createIn creates the extensions of order, the last of which is e, in a
// database, which is made unless it is the server's first.
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
		return a.fault()
	case a.output["version"] != e.Version:
		return fmt.Errorf("version %q was created, the label has %q", a.output["version"], e.Version)
	}
	return nil
}

// together creates what manifests ask for, in order and in one database, after
// what other images and the operand bring.
func (r *run) together(ctx context.Context) (string, error) { return r.createAll(ctx, together) }

// createAll is together in a database of that name.
func (r *run) createAll(ctx context.Context, home string) (string, error) {
	m := r.in.Image.Metadata
	create := "CREATE EXTENSION "
	steps := []step{{"creating the database", fmt.Sprintf("CREATE DATABASE %s;\n\\connect %s", ident(home), ident(home))}}
	if slices.ContainsFunc(m.Create, func(name string) bool { return r.homes[name] == "postgres" }) {
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
		return "", a.fault()
	}
	r.shared = home
	return strings.Join(m.Create, ", "), nil
}

// script runs the recipe's own test where everything was created together.
func (r *run) script(ctx context.Context) (string, error) {
	return "", r.scriptIn(ctx, cmp.Or(r.shared, "postgres"))
}

func (r *run) scriptIn(ctx context.Context, database string) error {
	_, err := r.server.psqlWithin(ctx, cmp.Or(r.options.Timeout, sessionTime), database, r.in.Script)
	if errors.As(err, new(*unfinishedError)) {
		r.explain(moreTime)
	}
	return err
}

// moreTime is the way out where a script is slow and not stuck.
const moreTime = "--timeout 30m, for one, gives test.sql and each test of a regression suite that long"

// restart stops the server in an orderly way and starts it again; everything
// that was created has to be there.
func (r *run) restart(ctx context.Context) (string, error) {
	if err := r.server.stop(ctx); err != nil {
		return "", err
	}
	if err := r.server.start(ctx); err != nil {
		return "", err
	}
	var steps []step
	for _, name := range r.created {
		steps = append(steps, step{name, fmt.Sprintf("\\connect %s\nSELECT count(*) FROM pg_extension WHERE extname = %s;", ident(r.homes[name]), literal(name))})
	}
	a := r.server.session(ctx, "postgres", steps...)
	if a.err != nil {
		return "", a.fault()
	}
	for _, s := range steps {
		if a.output[s.name] != "1" {
			return "", fmt.Errorf("%s is gone", s.name)
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

// log judges what the server wrote over the whole run.
func (r *run) log(ctx context.Context) { r.logAs(ctx, "log") }

func (r *run) logAs(ctx context.Context, name string) {
	if ctx.Err() != nil {
		return
	}
	const most = 5
	c := Check{Name: name, Status: Pass}
	bad, worthNoting := faults(r.server.log.since(0))
	if n := r.server.log.lost(); n > 0 {
		worthNoting = append(worthNoting, fmt.Sprintf("%d bytes in the middle of the log were not kept, and are not judged", n))
	}
	switch {
	case len(bad) > 0:
		c.Status, c.Detail = Fail, shorten(bad, most)
		r.learn(c, "")
	case len(worthNoting) > 0:
		c.Status, c.Detail = Note, shorten(worthNoting, most)
	}
	r.note(c)
}

// shorten joins lines, at most that many different ones.
func shorten(lines []string, most int) string {
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if len(lines) > most {
		lines = append(lines[:most:most], fmt.Sprintf("and %d more", len(lines)-most))
	}
	return strings.Join(lines, "\n")
}
