package finding

import (
	"slices"
	"strings"
)

// FatalError is an error made of findings. At least one has the severity Error.
type FatalError struct {
	Findings []Finding
}

// Error returns the findings of severity Error, one per line.
func (e *FatalError) Error() string {
	var lines []string
	for _, f := range e.Findings {
		if f.Severity == Error {
			lines = append(lines, f.String())
		}
	}
	return strings.Join(lines, "\n")
}

// Hint returns the distinct hints of these findings, one per line.
func (e *FatalError) Hint() string {
	var lines []string
	for _, f := range e.Findings {
		if f.Severity == Error && f.Hint != "" && !slices.Contains(lines, f.Hint) {
			lines = append(lines, f.Hint)
		}
	}
	return strings.Join(lines, "\n")
}

// ExitCode returns 3.
func (*FatalError) ExitCode() int { return 3 }
