package pgtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/rootfs"
	"github.com/pgext/pgext/internal/sandbox"
)

// upgrade is the upgrade of one cluster from one image to another.
type upgrade struct {
	// old is the run with the old image, next with the new one.
	old, next *run
	// before has the objects as read with the old image, by extension.
	before map[string]snapshot
	// updated are the extensions with the new version.
	updated map[string]bool
	// spare is a second database like shared, for the new image's script; "" if
	// there is none.
	spare string
}

// Upgrade creates and uses all extensions of the image of from, replaces it with
// the image of to on the same data directory, and updates the extensions. Both
// images have the same mount path. Faults are in the Result, where a fault of the
// old image alone is a note; an error means that the upgrade could not be tested.
func Upgrade(ctx context.Context, from, to Input, o Options) (Result, error) {
	before, err := newServer(ctx, from, o)
	if err != nil {
		return Result{}, err
	}
	defer before.close()
	u := &upgrade{old: newRun(from, o, before), before: map[string]snapshot{}, updated: map[string]bool{}}
	u.populate(ctx)
	if err := ctx.Err(); err != nil || !u.stopped() {
		u.noteUntried()
		return u.result(), err
	}
	after, err := u.move(ctx, to)
	if err != nil {
		return Result{}, fmt.Errorf("moving the cluster: %w", err)
	}
	defer after.close()
	before.close() // frees its memory
	u.next = newRun(to, o, after)
	u.next.from = &from.Image.Metadata
	u.advance(ctx)
	return u.result(), ctx.Err()
}

func newRun(in Input, o Options, s *server) *run {
	return &run{in: in, options: o, server: s, databases: map[string]string{}, dropped: map[string]bool{}}
}

// result joins the results of both runs, without advice about the old image.
func (u *upgrade) result() Result {
	out := Result{Checks: u.old.result.Checks, Log: []byte(u.old.server.log.since(0))}
	if u.next != nil {
		out.Checks = append(out.Checks, u.next.result.Checks...)
		out.Advice = u.next.advice
		out.Log = append(out.Log, u.next.server.log.since(0)...)
	}
	return out
}

// stopped reports whether the server with the old image was shut down.
func (u *upgrade) stopped() bool {
	last := u.old.result.Checks[len(u.old.result.Checks)-1]
	return last.Name == "from stop" && last.Status == Pass
}

// noteUntried adds a failed check for an upgrade that was not tested, unless a check
// has failed already: the fault of the old image may be a note.
func (u *upgrade) noteUntried() {
	if !u.old.result.Failed() {
		u.old.add(Check{Name: "upgrade", Status: Fail, Detail: "not tested: with the old image " + cmp.Or(u.old.down, "the server does not stop")})
	}
}

// populate creates and uses all extensions of the old image.
func (u *upgrade) populate(ctx context.Context) {
	r := u.old
	m := r.in.Image.Metadata
	r.check(ctx, "from start", r.start)
	if r.down == "" {
		// the checks below fail if the label does not match
		_, _ = r.available(ctx)
	}
	for _, e := range m.Extensions {
		if missing := r.missingRequirement(e.Name); missing != "" {
			r.add(Check{Name: "from create " + e.Name, Status: Skip, Detail: "it requires " + missing})
			continue
		}
		r.check(ctx, "from create "+e.Name, asNote(func(ctx context.Context) (string, error) { return u.createAndFill(ctx, e) }))
	}
	if len(m.Extensions) > 0 && len(r.created) == 0 && r.down == "" {
		r.down = "no extension could be created"
		r.add(Check{Name: "from create", Status: Fail, Detail: "no extension of the old image could be created, so there is nothing to upgrade"})
		return
	}
	u.populateTogether(ctx)
	r.check(ctx, "from stop", func(ctx context.Context) (string, error) { return "", r.server.stop(ctx) })
}

// populateTogether creates the databases in which scripts run.
func (u *upgrade) populateTogether(ctx context.Context) {
	r := u.old
	if create := r.in.Image.Metadata.Create; len(create) > 0 && subset(create, r.created) {
		r.check(ctx, "from create "+together, asNote(func(ctx context.Context) (string, error) {
			const second = together + " again"
			if _, err := r.createAll(ctx, second); err != nil {
				return "", err
			}
			u.spare = r.shared
			if r.shared != second {
				return strings.Join(create, ", "), nil
			}
			return r.createAll(ctx, together)
		}))
	}
	if r.in.Script != "" && r.shared != "" && r.shared != u.spare {
		r.check(ctx, "from test.sql", asNote(r.script))
	}
}

// asNote turns an error into a note, since it is about the old image.
func asNote(do func(context.Context) (string, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		detail, err := do(ctx)
		if err != nil {
			err = noteError{err}
		}
		return detail, err
	}
}

// createAndFill creates an extension, and objects of all its types, operator classes
// and functions.
func (u *upgrade) createAndFill(ctx context.Context, e metadata.Extension) (string, error) {
	r := u.old
	detail, err := r.create(ctx, e)
	if err != nil {
		return "", err
	}
	fillErr := r.server.fill(ctx, r.databases[e.Name], e.Name)
	got, err := r.server.readObjects(ctx, r.databases[e.Name], e.Name)
	if err != nil {
		return "", errors.Join(fillErr, err)
	}
	u.before[e.Name] = got
	return strings.TrimPrefix(detail+"; "+got.String(), "; "), fillErr
}

// move opens a server for to with a copy of the old server's cluster. Both clusters
// are in memory and disappear with their sandboxes.
func (u *upgrade) move(ctx context.Context, to Input) (*server, error) {
	r, w := io.Pipe()
	var group errgroup.Group
	group.Go(func() error {
		err := runProgram(ctx, u.old.server.sandbox, sandbox.Command{
			Args: []string{"/usr/bin/tar", "--create", "--sparse", "--directory=" + rootfs.Home, "."}, Stdout: w,
		})
		w.CloseWithError(err)
		return err
	})
	s, err := openServer(ctx, to, r)
	r.CloseWithError(io.ErrClosedPipe) // ends tar if it still writes
	if sent := group.Wait(); err == nil && sent != nil {
		s.close()
		return nil, sent
	}
	return s, err
}

// advance runs the checks with the new image.
func (u *upgrade) advance(ctx context.Context) {
	r := u.next
	r.databases, r.created, r.shared = u.old.databases, u.old.created, u.old.shared
	r.check(ctx, "upgrade start", r.start)
	if r.down == "" {
		_, _ = r.available(ctx) // Run of the new image reports the error
	}
	for _, name := range r.created {
		r.check(ctx, "upgrade read "+name, func(ctx context.Context) (string, error) { return u.readOld(ctx, name) })
	}
	for _, name := range r.created {
		r.check(ctx, "upgrade "+name, func(ctx context.Context) (string, error) { return u.updateOne(ctx, name) })
	}
	for _, name := range r.created {
		if !u.updated[name] && r.down == "" {
			r.add(Check{Name: "upgrade use " + name, Status: Skip, Detail: "it was not updated"})
			continue
		}
		r.check(ctx, "upgrade use "+name, func(ctx context.Context) (string, error) { return u.readNew(ctx, name) })
		r.check(ctx, "upgrade compare "+name, func(ctx context.Context) (string, error) { return u.compare(ctx, name) })
	}
	u.advanceTogether(ctx)
	r.checkLog(ctx, "upgrade log")
}

// advanceTogether updates the extensions in the databases with all of them, and
// runs the new image's script.
func (u *upgrade) advanceTogether(ctx context.Context) {
	r := u.next
	if r.shared != "" && r.shared != "postgres" { // in postgres each was updated already
		r.check(ctx, "upgrade "+together, u.updateTogether)
	}
	switch {
	case r.in.Script == "":
	case u.spare == "" && len(u.old.in.Image.Metadata.Create) > 0:
		r.add(Check{Name: "upgrade test.sql", Status: Skip, Detail: "the extensions of the old image could not be created together"})
	default:
		r.check(ctx, "upgrade test.sql", func(ctx context.Context) (string, error) {
			return "", r.scriptIn(ctx, cmp.Or(u.spare, "postgres"))
		})
	}
}

// updateTogether updates the extensions that manifests ask for, with those they
// require, in both databases that have all of them.
func (u *upgrade) updateTogether(ctx context.Context) (string, error) {
	names := u.old.in.Image.Metadata.Create
	for _, name := range names {
		if !u.updated[name] {
			return "", noteError{fmt.Errorf("%s could not be updated in its own database", name)}
		}
	}
	for _, database := range []string{u.next.shared, u.spare} {
		for _, name := range names {
			if err := u.update(ctx, database, name); err != nil {
				return "", fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return "", nil
}

// updateOne updates an extension in its database.
func (u *upgrade) updateOne(ctx context.Context, name string) (string, error) {
	r := u.next
	was, wanted := u.versionBefore(name), r.known.defaults[name]
	if wanted == "" {
		r.explain("databases that have %s lose it with the new image: run DROP EXTENSION before the change, "+
			"or mount an image that has it as well (--require-image)", name)
		return "", fmt.Errorf("the new image has no extension %s; the old one has version %s", name, was)
	}
	detail := was + " to " + wanted
	if was == wanted {
		detail = "both have version " + was
	}
	err := u.update(ctx, r.databases[name], name)
	var refused *sqlError
	if errors.As(err, &refused) && refused.State == dependentObjects {
		if again := u.updateWithoutViews(ctx, name); again == nil {
			u.updated[name] = true
			return "", noteError{fmt.Errorf("views that use objects which the update drops must be dropped before: %w", refused)}
		}
	}
	if err == nil {
		u.updated[name] = true
	}
	return detail, err
}

// dependentObjects is the SQLSTATE dependent_objects_still_exist.
const dependentObjects = "2BP01"

// updateWithoutViews drops the views of fill and updates again.
func (u *upgrade) updateWithoutViews(ctx context.Context, name string) error {
	if _, err := u.next.server.query(ctx, u.next.databases[name], fmt.Sprintf(dropViews, literal(fillSchema(name)))); err != nil {
		return err
	}
	u.before[name] = u.before[name].withoutViews()
	return u.update(ctx, u.next.databases[name], name)
}

// update updates an extension in a database, after the extensions of its image that
// it requires, and checks that it has the new version.
func (u *upgrade) update(ctx context.Context, database, name string) error {
	r := u.next
	for _, n := range r.known.order(name) {
		if !slices.Contains(r.created, n) {
			continue // an extension of another image
		}
		a := r.server.session(ctx, database,
			step{"update", "ALTER EXTENSION " + ident(n) + " UPDATE;"},
			step{"version", "SELECT extversion FROM pg_extension WHERE extname = " + literal(n) + ";"},
		)
		var refused *sqlError
		switch {
		case errors.As(a.err, &refused) && noPath.MatchString(refused.Text):
			return u.noPath(n)
		case a.err != nil:
			return a.err
		case a.output["version"] != r.known.defaults[n]:
			return fmt.Errorf("%s has version %q after the update, not %s", n, a.output["version"], r.known.defaults[n])
		}
	}
	return nil
}

// versionBefore returns the version of an extension in the old image.
func (u *upgrade) versionBefore(name string) string {
	for _, e := range u.old.in.Image.Metadata.Extensions {
		if e.Name == name {
			return e.Version
		}
	}
	return ""
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}
