package pgtest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/finding"
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
