package pgtest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResult(t *testing.T) {
	ran := Result{Checks: []Check{{Name: "start", Status: Pass}, {Name: "run", Status: Fail}}, Log: []byte("a\n"), Diffs: []byte("+\n")}
	not := Result{Checks: []Check{{Name: "layers", Status: Pass}, {Name: notRun, Status: Skip}}, Advice: []Advice{{Text: "x"}}, Log: []byte("b\n")}
	for _, tt := range []struct {
		name            string
		in              Result
		pass            int
		failed, skipped bool
	}{
		{"nothing", Result{}, 0, false, false},
		{"a check called run that ran", ran, 1, true, false},
		{"no server", not, 1, false, true},
		{"both", ran.And(not), 2, true, true},
	} {
		if got := tt.in.Count(Pass); got != tt.pass || tt.in.Failed() != tt.failed || tt.in.Skipped() != tt.skipped {
			t.Errorf("%s: %d pass, failed %v, skipped %v; want %d, %v, %v", tt.name, got, tt.in.Failed(), tt.in.Skipped(), tt.pass, tt.failed, tt.skipped)
		}
	}
	both := Result{Checks: append(append([]Check{}, ran.Checks...), not.Checks...), Advice: not.Advice, Log: []byte("a\nb\n"), Diffs: ran.Diffs}
	if diff := cmp.Diff(both, ran.And(not)); diff != "" {
		t.Errorf("And() (-want +got):\n%s", diff)
	}
}

func TestChangeIsEmpty(t *testing.T) {
	for _, tt := range []struct {
		in   Change
		want bool
	}{
		{Change{}, true},
		{Change{Preload: []string{"x"}}, false},
		{Change{Libraries: []string{"x"}}, false},
		{Change{Requires: []string{"x"}}, false},
	} {
		if got := tt.in.Empty(); got != tt.want {
			t.Errorf("%+v: got %v, want %v", tt.in, got, tt.want)
		}
	}
}
