package pgtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/metadata"
)

// TestByFiles: a finding fails, or is noted by, the check that it is about, and
// no other.
func TestByFiles(t *testing.T) {
	for _, tc := range []struct {
		name    string
		code    string
		unknown error
		want    map[string]Status
	}{
		{"a layer", "PGX040", nil, map[string]Status{"layers": Fail}},
		{"a path that leaves the image", "PGX005", nil, map[string]Status{"files": Fail}},
		{"another machine's object", "PGX003", nil, map[string]Status{"objects": Fail}},
		{"no script", "PGX046", nil, map[string]Status{"extensions": Fail}},
		{"a parameter that the operator refuses", "PGX007", nil, map[string]Status{"label": Fail}},
		{"a label that is not so", "PGX049", nil, map[string]Status{"label": Fail}},
		{"a library", "PGX001", nil, map[string]Status{"libraries": Fail}},
		{"a library, of those that are known", "PGX001", errors.New("gone"), map[string]Status{"libraries": Fail}},
		{"what is only expected", "PGX053", nil, nil},
		{"what is only expected, of a base that is not known", "PGX053", errors.New("gone"), map[string]Status{"libraries": Skip}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := ByFiles(Reading{Findings: []finding.Finding{finding.New(tc.code, "", "text", "")}, Unknown: tc.unknown, Why: "it is too hot"})
			want := map[string]Status{
				"layers": Pass, "files": Pass, "objects": Pass, "extensions": Pass, "label": Pass, "libraries": Pass, "run": Skip,
			}
			for name, status := range tc.want {
				want[name] = status
			}
			got := map[string]Status{}
			for _, c := range r.Checks {
				got[c.Name] = c.Status
			}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("ByFiles() (-got +want):\n%s", diff)
			}
		})
	}
}

// statuses are those of the checks, in their order.
func statuses(r Result) []string {
	var out []string
	for _, c := range r.Checks {
		out = append(out, fmt.Sprintf("%s %s", c.Status, c.Name))
	}
	return out
}

// TestByFilesTells: of all findings about a check, what it says and advises.
func TestByFilesTells(t *testing.T) {
	missing := finding.Finding{Code: "PGX001", Severity: finding.Error, Arch: "arm64", Path: "lib/x.so", Text: "needs libgone.so.1", Hint: "bundle it"}
	shadowed := finding.Finding{Code: "PGX041", Severity: finding.Warning, Path: "lib/y", Text: "is there twice"}
	expected := finding.Finding{Code: "PGX053", Severity: finding.Note, Text: "is expected of the base"}
	for _, tt := range []struct {
		name   string
		in     Reading
		want   []string
		advice []Advice
		detail map[string]string
	}{
		{
			"nothing to tell",
			Reading{Why: "no emulator"},
			[]string{"pass layers", "pass files", "pass objects", "pass extensions", "pass label", "pass libraries", "skip run"},
			nil,
			map[string]string{"run": "no emulator"},
		},
		{
			"an error fails, a warning does not, a note is not told",
			Reading{Findings: []finding.Finding{expected, shadowed, missing}},
			[]string{"pass layers", "note files", "pass objects", "pass extensions", "pass label", "fail libraries", "skip run"},
			[]Advice{{Text: "bundle it"}},
			map[string]string{"files": "PGX041 warning: lib/y: is there twice", "libraries": "PGX001 error: lib/x.so: needs libgone.so.1"},
		},
		{
			"libraries that nobody could judge",
			Reading{Unknown: errors.New("offline")},
			[]string{"pass layers", "pass files", "pass objects", "pass extensions", "pass label", "skip libraries", "skip run"},
			nil,
			map[string]string{"libraries": "offline"},
		},
		{
			"what is known to be missing stays so",
			Reading{Unknown: errors.New("offline"), Findings: []finding.Finding{missing}},
			[]string{"pass layers", "pass files", "pass objects", "pass extensions", "pass label", "fail libraries", "skip run"},
			[]Advice{{Text: "bundle it"}},
			map[string]string{"libraries": "PGX001 error: lib/x.so: needs libgone.so.1"},
		},
		{
			"no label",
			Reading{Unlabelled: &metadata.Metadata{Modules: []string{"x"}}},
			[]string{"pass layers", "pass files", "pass objects", "pass extensions", "note label", "pass libraries", "skip run"},
			nil, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ByFiles(tt.in)
			if diff := cmp.Diff(tt.want, statuses(got)); diff != "" {
				t.Errorf("checks (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.advice, got.Advice); diff != "" {
				t.Errorf("advice (-want +got):\n%s", diff)
			}
			for _, c := range got.Checks {
				if want, ok := tt.detail[c.Name]; ok && c.Detail != want {
					t.Errorf("%s: got %q, want %q", c.Name, c.Detail, want)
				}
			}
			if !got.Skipped() {
				t.Error("nothing ran, and the result does not say so")
			}
		})
	}
}

func TestUnlabelled(t *testing.T) {
	for _, tt := range []struct {
		name string
		m    metadata.Metadata
		want Status
	}{
		{"a module", metadata.Metadata{Modules: []string{"x"}}, Note},
		{"an extension", metadata.Metadata{Extensions: []metadata.Extension{{Name: "x"}}}, Note},
		{"nothing to try out", metadata.Metadata{Name: "x"}, Fail},
	} {
		if c := Unlabelled(tt.m); c.Name != "label" || c.Status != tt.want || c.Detail == "" {
			t.Errorf("%s: got %+v, want the check label with status %s", tt.name, c, tt.want)
		}
	}
}
