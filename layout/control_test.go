package layout

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseControl(t *testing.T) {
	type pair struct{ Name, Value string }
	for _, tc := range []struct {
		name, text string
		want       []pair
		wantErr    string
	}{
		{"quoted", "comment = 'it''s a \\'test\\'\\t'\n", []pair{{"comment", "it's a 'test'\t"}}, ""},
		{"no equals, no newline at the end", "relocatable true", []pair{{"relocatable", "true"}}, ""},
		{"comments and blank lines", "# a\n\n  trusted = yes # b\r\n", []pair{{"trusted", "yes"}}, ""},
		{"unquoted word", "directory = pgfin-core/x\n", []pair{{"directory", "pgfin-core/x"}}, ""},
		{"number", "default_version = 1.10\na = 0x1fkB\nb = -1.5e-3\n", []pair{{"default_version", "1.10"}, {"a", "0x1fkB"}, {"b", "-1.5e-3"}}, ""},
		{"octal escape", `comment = '\101\7\q'`, []pair{{"comment", "A\aq"}}, ""},
		{"hash in quotes", "comment = 'a # b'", []pair{{"comment", "a # b"}}, ""},
		{"a name twice", "schema = a\nschema = b", []pair{{"schema", "a"}, {"schema", "b"}}, ""},
		{"empty", "", nil, ""},
		{"three numbers", "default_version = 1.2.3", nil, `line 1: syntax error near ".3"`},
		{"no value", "comment = 'a'\nschema\n", nil, "line 2: schema has no value"},
		{"two values", "requires = a, b", nil, `line 1: syntax error near ","`},
		{"open quote", "comment = 'a\nb'", nil, "line 1: comment has no value"},
		{"value without name", "= 'x'", nil, `line 1: syntax error near "="`},
		{"name that is a path", "a/b = c", nil, `line 1: "a/b" is not a valid name`},
		{"NUL", "comment \x00", nil, "line 1: comment has no value"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			settings, err := parseControl(tc.text)
			if got := errorText(err); got != tc.wantErr {
				t.Fatalf("parseControl() error = %q, want %q", got, tc.wantErr)
			}
			var got []pair
			for _, s := range settings {
				got = append(got, pair{s.name, s.value})
			}
			if diff := cmp.Diff(tc.want, got); err == nil && diff != "" {
				t.Errorf("parseControl() (-want +got):\n%s", diff)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestControlApply(t *testing.T) {
	settings, err := parseControl("default_version = '2'\nrequires = 'Plpgsql, \"A b\" ,c'\nrelocatable = T\ntrusted = of\nno_relocate = 'c'\nsuperuser = maybe\nschema = s\nDirectory = x\n")
	if err != nil {
		t.Fatal(err)
	}
	var c control
	texts := c.apply(settings, false)
	want := control{defaultVersion: "2", schema: "s", requires: []string{"plpgsql", "A b", "c"}, relocatable: true}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(control{})); diff != "" {
		t.Errorf("apply() (-want +got):\n%s", diff)
	}
	wantTexts := []string{
		`line 6: superuser must be a boolean, not "maybe"`,
		`line 8: unrecognized parameter "Directory"`,
		"schema cannot be set if relocatable is true",
	}
	if diff := cmp.Diff(wantTexts, texts); diff != "" {
		t.Errorf("apply() errors (-want +got):\n%s", diff)
	}
	if got := new(control).apply(settings[:1], true); len(got) != 1 || got[0] != "line 1: default_version cannot be set in a secondary control file" {
		t.Errorf("apply() of a secondary control file = %v", got)
	}
}

func TestParseBool(t *testing.T) {
	for text, want := range map[string][2]bool{
		"t": {true, true}, "TRUE": {true, true}, "y": {true, true}, "on": {true, true}, "1": {true, true},
		"f": {false, true}, "False": {false, true}, "n": {false, true}, "of": {false, true}, "off": {false, true}, "0": {false, true},
		"": {}, "o": {}, "truee": {}, "10": {}, "x": {},
	} {
		if value, ok := parseBool(text); value != want[0] || ok != want[1] {
			t.Errorf("parseBool(%q) = %v, %v; want %v, %v", text, value, ok, want[0], want[1])
		}
	}
}

func TestSplitIdentifiers(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
		ok   bool
	}{
		{"", nil, true},
		{" a , B ", []string{"a", "b"}, true},
		{`"A""b"`, []string{`A"b`}, true},
		{"a b", nil, false},
		{"a,", nil, false},
		{`"a`, nil, false},
	} {
		got, ok := splitIdentifiers(tc.in)
		if ok != tc.ok || !cmp.Equal(got, tc.want) {
			t.Errorf("splitIdentifiers(%q) = %q, %v; want %q, %v", tc.in, got, ok, tc.want, tc.ok)
		}
	}
}

func TestUpdates(t *testing.T) {
	files := []string{"x--1.0.sql", "x--1.0--1.1.sql", "x--1.1--1.2.sql", "x--1.2--1.1.sql", "x--a--b--c.sql", "x--0.9--2.0.sql", "xy--3.sql", "x--4.control", "x.sql"}
	u := readUpdates("x", files)
	for version, want := range map[string]bool{"1.0": true, "1.1": true, "1.2": true, "2.0": false, "3": false, "4": false, "b": false, "c": false} {
		if got := u.reaches(version); got != want {
			t.Errorf("reaches(%s) = %v, want %v", version, got, want)
		}
	}
}

func FuzzParseControl(f *testing.F) {
	f.Add("# c\ncomment = 'it''s \\101'\ndefault_version=1.2\nrequires = 'a, \"b\"'\n")
	f.Add("relocatable true\nx = -0x1f 'a\\\n'")
	f.Add("a = 1e+5.\n= \xff\x00")
	f.Fuzz(func(t *testing.T, text string) {
		settings, err := parseControl(text)
		if err != nil {
			return
		}
		for _, s := range settings {
			if s.start < 0 || s.start > s.end || s.end > len(text) {
				t.Fatalf("setting %+v lies outside the text", s)
			}
			if raw := text[s.start:s.end]; raw != s.value && (len(raw) < 2 || raw[0] != '\'') {
				t.Errorf("value %q was written %q", s.value, raw)
			}
		}
		var c control
		c.apply(settings, false)
	})
}
