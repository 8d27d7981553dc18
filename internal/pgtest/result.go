package pgtest

import (
	"slices"
	"time"
)

// Status is what came of a check.
type Status string

// The statuses. What was skipped did not run, and is never a pass.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	// Note is a failure that does not fail the image.
	Note Status = "note"
	Skip Status = "skip"
)

// notRun names the check that is skipped where no server can be started; an
// image with it was not tested, whatever its files are like.
const notRun = "run"

// Check is one thing that was tried.
type Check struct {
	// Name is unique in a Result, such as "create vector".
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Detail says why, in one or more lines; of a pass it is usually empty.
	Detail  string  `json:"detail,omitempty"`
	Seconds float64 `json:"seconds"`
}

// Advice is what would make a failed check pass.
type Advice struct {
	// Text is a sentence for people.
	Text string `json:"text"`
	// Recipe is the line to add to the recipe; "" when no line helps.
	Recipe string `json:"recipe,omitempty"`
	// Change is the same for programs.
	Change Change `json:"-"`
}

// Change is what a recipe should say besides what it says.
type Change struct {
	// Preload are libraries for shared_preload_libraries; CloudNativePG
	// preloads some of them by itself as soon as it is given a parameter
	// (cnpg.Managed).
	Preload []string
	// Libraries are for bundle.libraries.
	Libraries []string
	// Requires are extensions, or "module:NAME".
	Requires []string
}

// Empty tells whether c changes nothing.
func (c Change) Empty() bool { return len(c.Preload)+len(c.Libraries)+len(c.Requires) == 0 }

// Result is what came of testing an image.
type Result struct {
	Checks []Check  `json:"checks"`
	Advice []Advice `json:"advice,omitempty"`
	// Log is what the server wrote.
	Log []byte `json:"-"`
	// Diffs are what tests of a regression suite printed otherwise than
	// expected, as unified differences.
	Diffs []byte `json:"-"`
}

// And returns a result with another's checks, advice and log behind its own.
func (r Result) And(o Result) Result {
	return Result{slices.Concat(r.Checks, o.Checks), slices.Concat(r.Advice, o.Advice), slices.Concat(r.Log, o.Log), slices.Concat(r.Diffs, o.Diffs)}
}

// Count returns how many checks have that status.
func (r Result) Count(s Status) int {
	n := 0
	for _, c := range r.Checks {
		if c.Status == s {
			n++
		}
	}
	return n
}

// Failed tells whether a check failed.
func (r Result) Failed() bool {
	return slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Status == Fail })
}

// Skipped tells whether nothing ran.
func (r Result) Skipped() bool {
	return slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Name == notRun && c.Status == Skip })
}

// seconds returns the time since start, to the millisecond.
func seconds(start time.Time) float64 {
	return time.Since(start).Round(time.Millisecond).Seconds()
}
