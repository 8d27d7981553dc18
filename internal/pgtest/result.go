package pgtest

import (
	"slices"
)

// Status is the result of a check.
type Status string

// The statuses. A skipped check did not run and does not count as a pass.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	// Note is a failed check that does not fail the image.
	Note Status = "note"
	Skip Status = "skip"
)

// notRun is the name of the check that ByFiles skips. An image with this check was
// not tested on a server.
const notRun = "run"

// Check is the result of one part of a test.
type Check struct {
	// Name is unique in a Result, such as "create vector".
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Detail is the reason, in one or more lines; usually empty for Pass.
	Detail  string  `json:"detail,omitempty"`
	Seconds float64 `json:"seconds"`
}

// Advice is a way to make a failed check pass.
type Advice struct {
	// Text is a sentence for people.
	Text string `json:"text"`
	// Recipe is the line to add to the recipe; "" if no line helps.
	Recipe string `json:"recipe,omitempty"`
	// Change is the same as Recipe, for programs.
	Change Change `json:"-"`
}

// Change lists additions to a recipe.
type Change struct {
	// Preload are libraries for shared_preload_libraries. CloudNativePG preloads
	// some of them itself if a parameter is set (cnpg.Managed).
	Preload []string
	// Libraries are for bundle.libraries.
	Libraries []string
	// Requires are extensions, or "module:NAME".
	Requires []string
}

// Empty reports whether c has no additions.
func (c Change) Empty() bool { return len(c.Preload)+len(c.Libraries)+len(c.Requires) == 0 }

// Result is the result of testing an image.
type Result struct {
	Checks []Check  `json:"checks"`
	Advice []Advice `json:"advice,omitempty"`
	// Log is the server's log.
	Log []byte `json:"-"`
	// Diffs are the unified differences between expected and actual output of
	// regression tests.
	Diffs []byte `json:"-"`
}

// And returns r with the checks, advice, log and differences of o appended.
func (r Result) And(o Result) Result {
	return Result{slices.Concat(r.Checks, o.Checks), slices.Concat(r.Advice, o.Advice), slices.Concat(r.Log, o.Log), slices.Concat(r.Diffs, o.Diffs)}
}

// Count returns the number of checks with a status.
func (r Result) Count(s Status) int {
	n := 0
	for _, c := range r.Checks {
		if c.Status == s {
			n++
		}
	}
	return n
}

// Failed reports whether a check failed.
func (r Result) Failed() bool {
	return slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Status == Fail })
}

// Skipped reports whether no server ran (ByFiles).
func (r Result) Skipped() bool {
	return slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Name == notRun && c.Status == Skip })
}
