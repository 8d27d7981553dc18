package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/text"
)

// Status is what came of a check.
type Status string

// The statuses. What was skipped was not judged, and is never a pass.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	Skip Status = "skip"
)

// Check is one question about an image.
type Check struct {
	// Name of the question, such as "sbom files".
	Name string `json:"name"`
	// Of is index, or the platform of one architecture.
	Of     string `json:"of"`
	Status Status `json:"status"`
	// Detail says what, where and why; of a pass, what was seen.
	Detail string `json:"detail"`
	// Items are the faults one by one, where there are several.
	Items []string `json:"items,omitempty"`
	// Hint says what to do about a failure.
	Hint string `json:"hint,omitempty"`
	// Policy tells that a failure is one of the policy's: the evidence itself
	// holds.
	Policy bool `json:"policy,omitempty"`
}

// String returns the check as one line, without its items.
func (c Check) String() string {
	return fmt.Sprintf("%s %s (%s): %s", c.Status, c.Name, c.Of, c.Detail)
}

// Result is the answer to every question, in the order they were asked.
type Result struct {
	Checks []Check `json:"checks"`
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

// Err returns nil if no check failed, or else a *CheckError: of the checks of
// the evidence if any of those failed, or else of those of the policy.
func (r Result) Err() error {
	failed := slices.DeleteFunc(slices.Clone(r.Checks), func(c Check) bool { return c.Status != Fail })
	untrusted := slices.DeleteFunc(slices.Clone(failed), func(c Check) bool { return c.Policy })
	switch {
	case len(untrusted) > 0:
		return &CheckError{untrusted}
	case len(failed) > 0:
		return &CheckError{failed}
	}
	return nil
}

// CheckError is the error of failed checks, at least one: of the evidence, which
// is missing or wrong, or of the policy, which does not accept it.
type CheckError struct{ Checks []Check }

// Error returns one line for each check.
func (e *CheckError) Error() string {
	out := make([]string, len(e.Checks))
	for i, c := range e.Checks {
		out[i] = fmt.Sprintf("%s (%s): %s", c.Name, c.Of, c.Detail)
	}
	return e.reason() + ": " + strings.Join(out, "\n")
}

func (e *CheckError) reason() string {
	if e.Checks[0].Policy {
		return "refused by the policy"
	}
	return "not trustworthy"
}

// Summary returns the error in one line, without the details of the checks.
func (e *CheckError) Summary() string {
	return e.reason() + ": " + text.Plural(len(e.Checks), "check fails", "checks fail")
}

// ExitCode returns failure.Untrusted, or failure.Findings for the policy.
func (e *CheckError) ExitCode() int {
	if e.Checks[0].Policy {
		return int(failure.Findings)
	}
	return int(failure.Untrusted)
}

// Hint returns the hints of the checks, each once, one a line.
func (e *CheckError) Hint() string {
	var out []string
	for _, c := range e.Checks {
		if c.Hint != "" && !slices.Contains(out, c.Hint) {
			out = append(out, c.Hint)
		}
	}
	return strings.Join(out, "\n")
}
