package debian

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRelations(t *testing.T) {
	for _, tc := range []struct {
		name, field string
		want        []Alternatives
	}{
		{"empty", " ", nil},
		{"plain", "libc6", []Alternatives{{{Name: "libc6"}}}},
		{"all of it", "libc6 (>= 2.34), postgresql-18-postgis-3 | postgis:any(=1:3.6~rc1) ,perl:native", []Alternatives{
			{{Name: "libc6", Op: ">=", Version: "2.34"}},
			{{Name: "postgresql-18-postgis-3"}, {Name: "postgis", Arch: "any", Op: "=", Version: "1:3.6~rc1"}},
			{{Name: "perl", Arch: "native"}},
		}},
		{"old operators", "a (< 1), b (> 1), c (1)", []Alternatives{
			{{Name: "a", Op: "<=", Version: "1"}}, {{Name: "b", Op: ">=", Version: "1"}}, {{Name: "c", Op: "=", Version: "1"}},
		}},
		{"lines and a trailing comma", "\na (<< 1),\nb (>>2),\n", []Alternatives{
			{{Name: "a", Op: "<<", Version: "1"}}, {{Name: "b", Op: ">>", Version: "2"}},
		}},
		{"restrictions", "a [linux-any] <!nocheck> <x>, b (= 1) [amd64]", []Alternatives{
			{{Name: "a"}}, {{Name: "b", Op: "=", Version: "1"}},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParseRelations(tc.field)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRelationsErrors(t *testing.T) {
	for _, tc := range []struct{ field, want string }{
		{"a |", `relation "a |": no package name`},
		{"(>= 1)", `relation "(>= 1)": no package name`},
		{"${misc:Depends}", `relation "${misc:Depends}": package name "${misc": character '$' is not allowed`},
		{"+a", `relation "+a": package name "+a": character '+' is not allowed at the start`},
		{"a:", `relation "a:": architecture is empty`},
		{"a:b_c", `relation "a:b_c": architecture "b_c": character '_' is not allowed`},
		{"a (>= 1", `relation "a (>= 1": no closing parenthesis`},
		{"a (=> 1)", `relation "a (=> 1)": operator "=>" is unknown`},
		{"a (>= )", `relation "a (>= )": no version after ">="`},
		{"a (>= 1 2)", `relation "a (>= 1 2)": version "1 2": character ' ' is not allowed`},
		{"a b", `relation "a b": unexpected "b"`},
		{"a [amd64", `relation "a [amd64": no closing "]"`},
	} {
		_, err := ParseRelations(tc.field)
		if err == nil || err.Error() != tc.want {
			t.Errorf("ParseRelations(%q) error = %v, want %q", tc.field, err, tc.want)
		}
	}
}

func TestSatisfiedBy(t *testing.T) {
	for _, tc := range []struct {
		op   string
		want [3]bool // of an older, an equal and a newer version
	}{
		{"<<", [3]bool{true, false, false}},
		{"<=", [3]bool{true, true, false}},
		{"=", [3]bool{false, true, false}},
		{">=", [3]bool{false, true, true}},
		{">>", [3]bool{false, false, true}},
		{"", [3]bool{true, true, true}},
		{"?", [3]bool{}},
	} {
		r := Relation{Name: "a", Op: tc.op, Version: "1:2.0-1"}
		got := [3]bool{r.SatisfiedBy("2.1-1"), r.SatisfiedBy("1:2.00-1"), r.SatisfiedBy("1:2.0-1+b1")}
		if got != tc.want {
			t.Errorf("%v: got %v, want %v", r, got, tc.want)
		}
	}
	if (Relation{Name: "a", Op: ">=", Version: "0"}).SatisfiedBy("") {
		t.Error("a versioned relation is satisfied by no version")
	}
	if !(Relation{Name: "a"}).SatisfiedBy("") {
		t.Error("an unversioned relation is not satisfied by no version")
	}
}

func TestSplitSource(t *testing.T) {
	for _, tc := range []struct{ source, name, version string }{
		{"", "pkg", "1-1+b1"},
		{"postgis", "postgis", "1-1+b1"},
		{"postgis (1-1)", "postgis", "1-1"},
		{"postgis(1-1)", "postgis", "1-1"},
		{"postgis ()", "postgis", "1-1+b1"},
		{"(1-1)", "pkg", "1-1"},
	} {
		name, version := SplitSource(tc.source, "pkg", "1-1+b1")
		if name != tc.name || version != tc.version {
			t.Errorf("SplitSource(%q) = %q, %q; want %q, %q", tc.source, name, version, tc.name, tc.version)
		}
	}
}

func FuzzParseRelations(f *testing.F) {
	f.Add("libc6 (>= 2.34), a | b:any (= 1) [amd64] <x>,")
	f.Add("a (< 1)")
	f.Fuzz(func(t *testing.T, field string) {
		first, err := ParseRelations(field)
		if err != nil {
			return
		}
		for _, a := range first {
			second, err := ParseRelations(a.String())
			if err != nil || len(second) != 1 {
				t.Fatalf("%q: what String writes parses to %v, %v", a.String(), second, err)
			}
			if diff := cmp.Diff(a, second[0]); diff != "" {
				t.Errorf("%q (-want +got):\n%s", a.String(), diff)
			}
			for _, r := range a {
				r.SatisfiedBy(field)
			}
		}
	})
}

// Relations yields what ParseRelations returns, up to the first malformed relation.
func TestRelations(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"a, b":                         "a, b",
		"a (>= 1) | b:any (<< 2),,c":   "a (>= 1), b:any (<< 2), c",
		" a(=1)|b [amd64] <!x> ,\n d ": "a (= 1), b, d",
		"a, b c, d":                    "a",
	} {
		var got []string
		for r := range Relations(text) {
			got = append(got, r.String())
		}
		if g := strings.Join(got, ", "); g != want {
			t.Errorf("%q: got %q, want %q", text, g, want)
		}
	}
}
