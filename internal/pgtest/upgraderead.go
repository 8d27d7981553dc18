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
	// Problem is why there is none.
	Problem string
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
		case row.Kind == kindFunction:
			functions++
		case strings.HasPrefix(row.Object, "table "):
			tables++
		default:
			views++
		}
	}
	return fmt.Sprintf("%d tables, %d indexes, %d views; %d functions of modules", tables, r.Indexes, views, functions)
}

// named are the rows of one kind by name.
func (r reading) named(kind string) map[string]readRow {
	out := map[string]readRow{}
	for _, row := range r.Rows {
		if row.Kind == kind {
			out[row.Object] = row
		}
	}
	return out
}

// lost is what worked before and does not now; nil when all does.
func (r reading) lost(before reading) error {
	var problems []error
	for _, k := range []struct{ kind, plural, verb string }{
		{kindObject, "objects", "be read"}, {kindFunction, "functions", "be called"},
	} {
		was, is := before.named(k.kind), r.named(k.kind)
		reasons := map[string][]string{}
		all, lost := 0, 0
		for _, name := range slices.Sorted(maps.Keys(was)) {
			if was[name].Problem != "" {
				continue
			}
			all++
			if p := is[name].Problem; p != "" {
				reasons[p] = append(reasons[p], name)
				lost++
			}
		}
		if lost > 0 {
			problems = append(problems, fmt.Errorf("%d of %d %s cannot %s\n%s", lost, all, k.plural, k.verb, listed(reasons)))
		}
	}
	return errors.Join(problems...)
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
	was, is := before.named(kindObject), r.named(kindObject)
	for _, name := range slices.Sorted(maps.Keys(was)) {
		a, b := was[name].Content, is[name].Content
		if a != nil && b != nil && *a != *b {
			out = append(out, fmt.Sprintf("%s: %s became %s", name, *a, *b))
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
	if was := u.before[name].Version; got.Version != was {
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
	before := u.before[name]
	if err := got.lost(before); err != nil {
		return "", err
	}
	if lines := got.changed(before); len(lines) > 0 {
		const most = 5
		return "", noteError{fmt.Errorf("%d give something else than with the old image\n%s", len(lines), shorten(lines, most))}
	}
	return got.String(), nil
}
