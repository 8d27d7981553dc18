package pgtest

import (
	"context"
	_ "embed" // the script
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

//go:embed sql/read.sql
var readFilled string

// snapshot is the content of the objects of an extension at one time.
type snapshot struct {
	Version string
	Indexes int
	Rows    []object
}

// object is a table or a view that was read, or a C function that was looked up.
type object struct {
	// Kind is "object" or "function".
	Kind, Object string
	// Content is nil if it is not stable.
	Content *string
	// Problem is the error of reading it, State its SQLSTATE.
	Problem, State string
}

const (
	kindObject   = "object"
	kindFunction = "function"
)

// readObjects reads the objects that fill created.
func (s *server) readObjects(ctx context.Context, database, extension string) (snapshot, error) {
	script := strings.NewReplacer(":home", literal(fillSchema(extension)), ":extension", literal(extension)).Replace(readFilled)
	text, err := s.query(ctx, database, fillTime+script)
	if err != nil {
		return snapshot{}, err
	}
	var out snapshot
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return snapshot{}, fmt.Errorf("reading the objects of the extension: %w", err)
	}
	return out, nil
}

// String returns the number of objects of each kind.
func (r snapshot) String() string {
	tables, views, functions := 0, 0, 0
	for _, row := range r.Rows {
		switch {
		case row.table():
			tables++
		case row.view():
			views++
		default:
			functions++
		}
	}
	return fmt.Sprintf("%d tables, %d indexes, %d views; %d functions of modules", tables, r.Indexes, views, functions)
}

// tablePrefix is the prefix of the names of fill's tables. Other names are views.
const tablePrefix = "table "

// withoutViews returns the snapshot without views.
func (r snapshot) withoutViews() snapshot {
	r.Rows = slices.DeleteFunc(slices.Clone(r.Rows), object.view)
	return r
}

// loss is the objects of a kind that could be read before and cannot now, by the
// reason.
type loss struct {
	what    string
	of, all int
	reasons map[string][]string
}

func (l loss) String() string {
	return fmt.Sprintf("%d of %d %s\n%s", l.of, l.all, l.what, listed(l.reasons))
}

// lost compares with an earlier snapshot. Objects that cannot be read any more are
// broken. Views with an error about a value, while others work, are tolerated: the
// functions may reject invalid values now.
func (r snapshot) lost(before snapshot) (broken, tolerated []loss) {
	for _, k := range []struct {
		what   string
		counts func(object) bool
	}{
		{"tables cannot be read", object.table},
		{"views cannot be read", object.view},
		{"functions of modules are missing", func(row object) bool { return row.Kind == kindFunction }},
	} {
		l, known := r.lossOf(before, k.what, k.counts)
		switch {
		case l.of == 0:
		case known || l.of == l.all:
			broken = append(broken, l)
		default:
			tolerated = append(tolerated, l)
		}
	}
	return broken, tolerated
}

// lossOf returns the loss among objects of a kind. known means that a reason is not
// about values, or that the objects are not views.
func (r snapshot) lossOf(before snapshot, what string, counts func(object) bool) (l loss, known bool) {
	l = loss{what: what, reasons: map[string][]string{}}
	is := map[string]object{}
	for _, row := range r.Rows {
		if counts(row) {
			is[row.Object] = row
		}
	}
	for _, was := range before.Rows {
		if !counts(was) || was.Problem != "" {
			continue
		}
		l.all++
		row, there := is[was.Object]
		if !there && was.Kind == kindObject {
			row.Problem, row.State = "missing", undefinedTable
		}
		if row.Problem != "" {
			l.of++
			l.reasons[row.Problem] = append(l.reasons[row.Problem], was.Object)
			known = known || !was.view() || row.structural()
		}
	}
	return l, known
}

// undefinedTable is the SQLSTATE undefined_table.
const undefinedTable = "42P01"

func (row object) table() bool {
	return row.Kind == kindObject && strings.HasPrefix(row.Object, tablePrefix)
}

func (row object) view() bool {
	return row.Kind == kindObject && !strings.HasPrefix(row.Object, tablePrefix)
}

// structural reports whether a problem is a missing object or file (classes 42 and
// 58, and the loader's errors), not a value.
func (row object) structural() bool {
	return strings.HasPrefix(row.State, "42") || strings.HasPrefix(row.State, "58") ||
		strings.Contains(row.Problem, "could not load library") || strings.Contains(row.Problem, "could not access file")
}

// listed returns a line for every reason, with some of its objects.
func listed(reasons map[string][]string) string {
	const most = 3
	var lines []string
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		names := reasons[reason]
		if len(names) > most {
			names = append(names[:most:most], "…")
		}
		lines = append(lines, strings.Join(names, ", ")+": "+reason)
	}
	return shorten(lines, most+2)
}

// changed returns lines about contents that differ.
func (r snapshot) changed(before snapshot) []string {
	var out []string
	is := map[string]*string{}
	for _, row := range r.Rows {
		is[row.Kind+row.Object] = row.Content
	}
	for _, was := range before.Rows {
		if a, b := was.Content, is[was.Kind+was.Object]; a != nil && b != nil && *a != *b {
			out = append(out, fmt.Sprintf("%s: %s became %s", was.Object, *a, *b))
		}
	}
	return out
}

// readOld reads the objects with the new image before the update.
func (u *upgrade) readOld(ctx context.Context, name string) (string, error) {
	got, err := u.next.server.readObjects(ctx, u.next.databases[name], name)
	if err != nil {
		return "", err
	}
	if was := u.versionBefore(name); got.Version != was {
		return "", fmt.Errorf("it has version %q before the update, not %s", got.Version, was)
	}
	return u.compareObjects(name, got)
}

// readNew reads the objects after the update.
func (u *upgrade) readNew(ctx context.Context, name string) (string, error) {
	got, err := u.next.server.readObjects(ctx, u.next.databases[name], name)
	if err != nil {
		return "", err
	}
	return u.compareObjects(name, got)
}

// compareObjects compares with the snapshot of the old image.
func (u *upgrade) compareObjects(name string, got snapshot) (string, error) {
	const most = 5
	before, known := u.before[name]
	if !known {
		return "", noteError{errors.New("its objects could not be read with the old image, so there is nothing to compare with")}
	}
	broken, tolerated := got.lost(before)
	changed := got.changed(before)
	var text []string
	for _, l := range append(broken, tolerated...) {
		text = append(text, l.String())
	}
	if len(changed) > 0 {
		text = append(text, fmt.Sprintf("%d have another content than with the old image\n%s", len(changed), shorten(changed, most)))
	}
	err := errors.New(strings.Join(text, "\n"))
	switch absent := u.next.known.defaults[name] == ""; {
	case len(text) == 0:
		return got.String(), nil
	case len(broken) == 0, absent: // the check of the update fails
		return "", noteError{err}
	}
	return "", err
}
