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

// reading is what the objects of an extension gave at one time.
type reading struct {
	Version string
	Indexes int
	Rows    []readRow
}

// readRow is an object that was read, or a C function that was looked up.
type readRow struct {
	// Kind is "object" or "function".
	Kind, Object string
	// Content is nil where it may differ from one time to the next.
	Content *string
	// Problem is why there is none, State its SQLSTATE.
	Problem, State string
}

const (
	kindObject   = "object"
	kindFunction = "function"
)

// read reads what fill made.
func (s *server) read(ctx context.Context, database, extension string) (reading, error) {
	script := strings.NewReplacer(":home", literal(fillSchema(extension)), ":extension", literal(extension)).Replace(readFilled)
	text, err := s.query(ctx, database, fillTime+script)
	if err != nil {
		return reading{}, err
	}
	var out reading
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return reading{}, fmt.Errorf("reading what was filled: %w", err)
	}
	return out, nil
}

// String counts what there is.
func (r reading) String() string {
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

// tablePrefix begins the names of our tables; the others are views.
const tablePrefix = "table "

// withoutViews is the reading without views.
func (r reading) withoutViews() reading {
	r.Rows = slices.DeleteFunc(slices.Clone(r.Rows), readRow.view)
	return r
}

// loss is what worked before and does not now, by the reason.
type loss struct {
	what    string
	of, all int
	reasons map[string][]string
}

func (l loss) String() string {
	return fmt.Sprintf("%d of %d %s\n%s", l.of, l.all, l.what, listed(l.reasons))
}

// lost compares with an earlier reading. What fails is broken; so many views
// that give an error of their own, where others still work, are strange: what
// they call may have become strict about nonsense.
func (r reading) lost(before reading) (broken, strange []loss) {
	for _, k := range []struct {
		what   string
		counts func(readRow) bool
	}{
		{"tables cannot be read", readRow.table},
		{"views cannot be read", readRow.view},
		{"functions of modules are not there", func(row readRow) bool { return row.Kind == kindFunction }},
	} {
		l, known := r.lossOf(before, k.what, k.counts)
		switch {
		case l.of == 0:
		case known || l.of == l.all:
			broken = append(broken, l)
		default:
			strange = append(strange, l)
		}
	}
	return broken, strange
}

// lossOf is the loss among rows of a kind. known says that a reason is one that
// has nothing to do with values, or that rows are no views.
func (r reading) lossOf(before reading, what string, counts func(readRow) bool) (l loss, known bool) {
	l = loss{what: what, reasons: map[string][]string{}}
	is := map[string]readRow{}
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
			row.Problem, row.State = "it is gone", undefinedTable
		}
		if row.Problem != "" {
			l.of++
			l.reasons[row.Problem] = append(l.reasons[row.Problem], was.Object)
			known = known || !was.view() || row.structural()
		}
	}
	return l, known
}

// undefinedTable is the SQLSTATE of that name.
const undefinedTable = "42P01"

func (row readRow) table() bool {
	return row.Kind == kindObject && strings.HasPrefix(row.Object, tablePrefix)
}

func (row readRow) view() bool {
	return row.Kind == kindObject && !strings.HasPrefix(row.Object, tablePrefix)
}

// structural tells whether a problem is about what is not there (classes 42 and
// 58, and what the loader says), rather than about a value.
func (row readRow) structural() bool {
	return strings.HasPrefix(row.State, "42") || strings.HasPrefix(row.State, "58") ||
		strings.Contains(row.Problem, "could not load library") || strings.Contains(row.Problem, "could not access file")
}

// listed is a line for every reason, with a few of those it is for.
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

// changed are lines about contents that differ.
func (r reading) changed(before reading) []string {
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

// readOld reads with the new image what the old one left, before any update.
func (u *upgrade) readOld(ctx context.Context, name string) (string, error) {
	got, err := u.next.server.read(ctx, u.next.homes[name], name)
	if err != nil {
		return "", err
	}
	if was := u.versionBefore(name); got.Version != was {
		return "", fmt.Errorf("it has version %q before the update, not %s", got.Version, was)
	}
	return u.judge(name, got)
}

// readNew reads it after the update.
func (u *upgrade) readNew(ctx context.Context, name string) (string, error) {
	got, err := u.next.server.read(ctx, u.next.homes[name], name)
	if err != nil {
		return "", err
	}
	return u.judge(name, got)
}

// judge compares with what the old image read.
func (u *upgrade) judge(name string, got reading) (string, error) {
	const most = 5
	before, known := u.before[name]
	if !known {
		return "", noteError{errors.New("it could not be read with the old image, so there is nothing to compare with")}
	}
	broken, strange := got.lost(before)
	changed := got.changed(before)
	var text []string
	for _, l := range append(broken, strange...) {
		text = append(text, l.String())
	}
	if len(changed) > 0 {
		text = append(text, fmt.Sprintf("%d give something else than with the old image\n%s", len(changed), shorten(changed, most)))
	}
	err := errors.New(strings.Join(text, "\n"))
	switch vanished := u.next.known.defaults[name] == ""; {
	case len(text) == 0:
		return got.String(), nil
	case len(broken) == 0, vanished: // the update fails, and says so
		return "", noteError{err}
	}
	return "", err
}
