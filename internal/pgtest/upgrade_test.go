package pgtest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/metadata"
)

func TestCompareObjects(t *testing.T) {
	text := func(s string) *string { return &s }
	before := snapshot{Rows: []object{
		{Kind: kindObject, Object: "table of x", Content: text("1")},
		{Kind: kindObject, Object: "view of a 1", Content: text("1")},
		{Kind: kindObject, Object: "view of b 2"},
		{Kind: kindFunction, Object: "f()"},
		{Kind: kindFunction, Object: "g()", Problem: "it never worked"},
	}}
	change := func(object string, to func(*object)) snapshot {
		var out snapshot
		for _, row := range before.Rows {
			if row.Object == object {
				to(&row)
			}
			if row.Object != "" {
				out.Rows = append(out.Rows, row)
			}
		}
		return out
	}
	fails := func(state, problem string) func(*object) {
		return func(row *object) { row.State, row.Problem, row.Content = state, problem, nil }
	}
	for _, tc := range []struct {
		name    string
		after   snapshot
		version string
		status  Status
		want    string
	}{
		{"all as before", before, "2", Pass, "1 tables, 0 indexes, 2 views; 2 functions of modules"},
		{"a table", change("table of x", fails("XX000", "old format")), "2", Fail, "1 of 1 tables cannot be read\ntable of x: old format"},
		{"a view whose function is gone", change("view of a 1", fails("42883", "no a")), "2", Fail, "1 of 2 views cannot be read\nview of a 1: no a"},
		{"a view whose module is gone", change("view of a 1", fails("58P01", "no file")), "2", Fail, "1 of 2 views cannot be read\nview of a 1: no file"},
		{"a view that is strict now", change("view of a 1", fails("22023", "nonsense")), "2", Note, "1 of 2 views cannot be read\nview of a 1: nonsense"},
		{"a table that is gone", change("table of x", func(row *object) { row.Object = "" }), "2", Fail, "1 of 1 tables cannot be read\ntable of x: missing"},
		{"a function", change("f()", fails("58P01", "no file")), "2", Fail, "1 of 1 functions of modules are missing\nf(): no file"},
		{"an extension that the new image does not have", change("f()", fails("58P01", "no file")), "", Note, "1 of 1 functions of modules are missing\nf(): no file"},
		{
			"another result", change("view of a 1", func(row *object) { row.Content = text("2") }), "2", Note,
			"1 have another content than with the old image\nview of a 1: 1 became 2",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := &upgrade{before: map[string]snapshot{"x": before}, next: &run{known: catalog{defaults: map[string]string{"x": tc.version}}}}
			detail, err := u.compareObjects("x", tc.after)
			status := Pass
			if err != nil {
				status, detail = Fail, err.Error()
			}
			if _, ok := err.(noteError); ok { //nolint:errorlint // it is never wrapped
				status = Note
			}
			if status != tc.status || detail != tc.want {
				t.Errorf("got %s %q, want %s %q", status, detail, tc.status, tc.want)
			}
		})
	}

	t.Run("nothing to compare with", func(t *testing.T) {
		u := &upgrade{before: map[string]snapshot{}, next: &run{known: catalog{defaults: map[string]string{"x": "2"}}}}
		_, err := u.compareObjects("x", before)
		if _, ok := err.(noteError); !ok { //nolint:errorlint // it is never wrapped
			t.Errorf("got %v, want a note", err)
		}
	})

	t.Run("no view works", func(t *testing.T) {
		after := snapshot{Rows: []object{before.Rows[0], before.Rows[3]}}
		for _, row := range before.Rows[1:3] {
			fails("XX000", "update me first")(&row)
			after.Rows = append(after.Rows, row)
		}
		broken, strange := after.lost(before)
		if len(broken) != 1 || len(strange) != 0 {
			t.Errorf("got %v and %v, want one loss", broken, strange)
		}
	})
}

func TestDiagnoseUpgrade(t *testing.T) {
	const until = "from the change of the image until ALTER EXTENSION … UPDATE has run in a database, they fail; "
	for _, tc := range []struct{ name, text, want string }{
		{
			"a module with its version in its name", `could not access file "$libdir/geo-2.5": No such file or directory`,
			"functions of the old version use the module geo-2.5, which the new images (modules: geo-3) do not have: " + until + "keep lib/geo-2.5.so in the new image, or plan an outage for the change",
		},
		{
			"a symbol", `could not find function "area" in file "/extensions/geo/lib/geo-3.so"`,
			"functions of the old version use area in geo-3.so, which the new module does not have: " + until + "the module should keep the symbol, if only to raise an error",
		},
		{
			"a new requirement", `required extension "plumbing" is not installed`,
			"the new version requires plumbing: run CREATE EXTENSION plumbing before the update",
		},
		{"something else", "division by zero", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &run{
				in:   Input{Image: Image{Metadata: metadata.Metadata{Modules: []string{"geo-3"}}}},
				from: &metadata.Metadata{Modules: []string{"geo-2.5"}},
			}
			var want []Advice
			if tc.want != "" {
				want = []Advice{{Text: tc.want}}
			}
			r.diagnose(tc.text, "")
			if diff := cmp.Diff(r.advice, want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
}

func TestDifferences(t *testing.T) {
	err := differences([]string{"function a()", "function old()"}, []string{"function a()", "function new()"})
	const want = "the updated extension has other objects than a new one: 2 differences\nlacks function new()\nstill has function old()"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := differences([]string{"a"}, []string{"a"}); err != nil {
		t.Errorf("the same: %v", err)
	}
}

// TestNoteUntried: an upgrade that was not tested does not pass, whatever ended the
// server with the old image.
func TestNoteUntried(t *testing.T) {
	const notTried = "fail upgrade: not tested: with the old image the server does not stop"
	for _, tc := range []struct {
		name, down string
		before     Status
		want       []string
	}{
		{"after a note", "the server went down", Note, []string{"note before: ", "fail upgrade: not tested: with the old image the server went down"}},
		{"without a reason", "", Skip, []string{"skip before: ", notTried}},
		{"after a failure", "", Fail, []string{"fail before: "}},
	} {
		u := &upgrade{old: &run{down: tc.down}}
		u.old.add(Check{Name: "before", Status: tc.before})
		u.noteUntried()
		var got []string
		for _, c := range u.old.result.Checks {
			got = append(got, fmt.Sprintf("%s %s: %s", c.Status, c.Name, c.Detail))
		}
		if diff := cmp.Diff(got, tc.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", tc.name, diff)
		}
	}
}
