package verify

import (
	"fmt"
	"slices"
	"strings"
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

// Err returns nil when no check failed, an *UntrustedError when evidence is
// missing or lies, and a *RefusedError when only the policy was failed.
func (r Result) Err() error {
	failed := slices.DeleteFunc(slices.Clone(r.Checks), func(c Check) bool { return c.Status != Fail })
	lies := slices.DeleteFunc(slices.Clone(failed), func(c Check) bool { return c.Policy })
	switch {
	case len(lies) > 0:
		return &UntrustedError{lies}
	case len(failed) > 0:
		return &RefusedError{failed}
	}
	return nil
}

// UntrustedError says that the evidence about an image is missing or not true.
type UntrustedError struct {
	// Checks are those that failed.
	Checks []Check
}

func (e *UntrustedError) Error() string { return "not trustworthy: " + lines(e.Checks) }

// ExitCode returns 13: not trustworthy.
func (*UntrustedError) ExitCode() int { return 13 }

// Hint returns the hints of the checks, each once, one a line.
func (e *UntrustedError) Hint() string { return hints(e.Checks) }

// RefusedError says that an image is what its evidence says, and that the
// policy does not accept it.
type RefusedError struct {
	// Checks are those that failed.
	Checks []Check
}

func (e *RefusedError) Error() string { return "refused by the policy: " + lines(e.Checks) }

// ExitCode returns 3: a failed check.
func (*RefusedError) ExitCode() int { return 3 }

// Hint returns the hints of the checks, each once, one a line.
func (e *RefusedError) Hint() string { return hints(e.Checks) }

func lines(checks []Check) string {
	out := make([]string, len(checks))
	for i, c := range checks {
		out[i] = fmt.Sprintf("%s (%s): %s", c.Name, c.Of, c.Detail)
	}
	return strings.Join(out, "\n")
}

func hints(checks []Check) string {
	var out []string
	for _, c := range checks {
		if c.Hint != "" && !slices.Contains(out, c.Hint) {
			out = append(out, c.Hint)
		}
	}
	return strings.Join(out, "\n")
}
