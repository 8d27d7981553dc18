package pgtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/metadata"
)

// TestByFiles: a finding fails its check, or makes it a note, and changes no other
// check.
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
		{"a label that does not match", "PGX049", nil, map[string]Status{"label": Fail}},
		{"a library", "PGX001", nil, map[string]Status{"libraries": Fail}},
		{"a library of an unknown base", "PGX001", errors.New("gone"), map[string]Status{"libraries": Fail}},
		{"an expected library", "PGX053", nil, nil},
		{"an expected library of an unknown base", "PGX053", errors.New("gone"), map[string]Status{"libraries": Skip}},
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

// statuses lists the checks with their statuses.
func statuses(r Result) []string {
	var out []string
	for _, c := range r.Checks {
		out = append(out, fmt.Sprintf("%s %s", c.Status, c.Name))
	}
	return out
}

// TestByFilesDetails: details and advice of the checks.
func TestByFilesDetails(t *testing.T) {
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
			"no findings",
			Reading{Why: "no emulator"},
			[]string{"pass layers", "pass files", "pass objects", "pass extensions", "pass label", "pass libraries", "skip run"},
			nil,
			map[string]string{"run": "no emulator"},
		},
		{
			"an error fails, a warning does not, a note is ignored",
			Reading{Findings: []finding.Finding{expected, shadowed, missing}},
			[]string{"pass layers", "note files", "pass objects", "pass extensions", "pass label", "fail libraries", "skip run"},
			[]Advice{{Text: "bundle it"}},
			map[string]string{"files": "PGX041 warning: lib/y: is there twice", "libraries": "PGX001 error: lib/x.so: needs libgone.so.1"},
		},
		{
			"libraries that could not be checked",
			Reading{Unknown: errors.New("offline")},
			[]string{"pass layers", "pass files", "pass objects", "pass extensions", "pass label", "skip libraries", "skip run"},
			nil,
			map[string]string{"libraries": "offline"},
		},
		{
			"a missing library that is known",
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
				t.Error("Skipped() is false although nothing ran")
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
		{"nothing to test", metadata.Metadata{Name: "x"}, Fail},
	} {
		if c := Unlabelled(tt.m); c.Name != "label" || c.Status != tt.want || c.Detail == "" {
			t.Errorf("%s: got %+v, want the check label with status %s", tt.name, c, tt.want)
		}
	}
}
