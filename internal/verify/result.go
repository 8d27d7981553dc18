package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/text"
)

// Status is the result of a check.
type Status string

// The statuses. Skip means that the check could not run; it never counts as a
// pass.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	Skip Status = "skip"
)

// Check is the result for one property of an image.
type Check struct {
	// Name of the property, such as "sbom files".
	Name string `json:"name"`
	// Of is "index", "all", or the platform of one architecture.
	Of     string `json:"of"`
	Status Status `json:"status"`
	// Detail describes the failure, or the values of a passed check.
	Detail string `json:"detail"`
	// Items has one entry per fault if there are several.
	Items []string `json:"items,omitempty"`
	// Hint is the next command or action after a failure.
	Hint string `json:"hint,omitempty"`
	// Policy is true if the evidence is valid but the policy refuses it.
	Policy bool `json:"policy,omitempty"`
}

// String returns the check as one line, without its items.
func (c Check) String() string {
	return fmt.Sprintf("%s %s (%s): %s", c.Status, c.Name, c.Of, c.Detail)
}

// Result lists the checks in the order in which they ran.
type Result struct {
	Checks []Check `json:"checks"`
}

// Count returns the number of checks with that status.
func (r Result) Count(s Status) int {
	n := 0
	for _, c := range r.Checks {
		if c.Status == s {
			n++
		}
	}
	return n
}

// failed returns the failed checks with their exit code and a description of it:
// those of missing or wrong evidence, or if there are none those of the policy.
func (r Result) failed() (checks []Check, code failure.Code, reason string) {
	failed := slices.DeleteFunc(slices.Clone(r.Checks), func(c Check) bool { return c.Status != Fail })
	untrusted := slices.DeleteFunc(slices.Clone(failed), func(c Check) bool { return c.Policy })
	if len(untrusted) > 0 {
		return untrusted, failure.Untrusted, "not trustworthy"
	}
	return failed, failure.Findings, "refused by the policy"
}

// Err returns nil if no check failed. Otherwise it returns a *failure.Error with
// one line per failed check, and the hint of each check: with failure.Untrusted
// about missing or wrong evidence, or else with failure.Findings about the policy.
func (r Result) Err() error {
	checks, code, reason := r.failed()
	if len(checks) == 0 {
		return nil
	}
	var lines, hints []string
	for _, c := range checks {
		lines = append(lines, fmt.Sprintf("%s (%s): %s", c.Name, c.Of, c.Detail))
		if c.Hint != "" {
			hints = union(hints, []string{c.Hint})
		}
	}
	return failure.New(code, strings.Join(hints, "\n"), "%s: %s", reason, strings.Join(lines, "\n"))
}

// Summary returns the error in one line, without the details of the checks; "" if
// no check failed.
func (r Result) Summary() string {
	checks, _, reason := r.failed()
	if len(checks) == 0 {
		return ""
	}
	return reason + ": " + text.Plural(len(checks), "check fails", "checks fail")
}
