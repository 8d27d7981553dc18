package recipe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/text"
)

// Problem is one fault of a recipe.
type Problem struct {
	// File is the name the recipe was parsed under.
	File string `json:"file"`
	// Line and Column count from one.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Field is the path of the field, such as source.deb.packages[0]; "" when
	// the document as a whole is meant.
	Field string `json:"field,omitempty"`
	// Text describes what is wrong.
	Text string `json:"text"`
	// Suggestion is the probable intended value; "" for none.
	Suggestion string `json:"suggestion,omitempty"`
}

// String returns the problem as one line.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Text)
	if p.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", p.Suggestion)
	}
	return b.String()
}

// Errors is every problem of one or more recipes, at least one.
type Errors struct {
	Problems []Problem
	// More counts the problems that were left out because there were too many.
	More int
}

// Error returns one line for each problem.
func (e *Errors) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", e.More))
	}
	return strings.Join(lines, "\n")
}

// ExitCode returns 10: the recipe is invalid.
func (e *Errors) ExitCode() int { return 10 }

// Hint returns where the format is described.
func (e *Errors) Hint() string {
	return "pgext schema prints the format; editors use it to check recipes while they are written"
}

// What is kept of one recipe: this many problems, and bytes of each text.
const (
	maxProblems = 100
	maxText     = 600
)

// position is a place in the document, counted from one.
type position struct{ line, column int }

// collector gathers the problems of one document and knows where its fields
// are.
type collector struct {
	file string
	// noun is what the document is, and empty what is said of one without
	// anything in it.
	noun, empty string
	// where has the position of every value, by field path.
	where map[string]position
	// faulty has the fields with a problem: what follows from it is not told.
	faulty   map[string]bool
	problems []Problem
	more     int
}

func newCollector(file string) *collector {
	return &collector{file: file, noun: "recipe", empty: `is empty; the smallest recipe has "name" and "source"`, where: map[string]position{}, faulty: map[string]bool{}}
}

// report adds a problem at a position and marks the field as faulty.
func (c *collector) report(at position, p Problem) {
	c.faulty[p.Field] = true
	if len(c.problems) == maxProblems {
		c.more++
		return
	}
	p.Text = text.Truncate(p.Text, maxText)
	p.File, p.Line, p.Column = c.file, at.line, at.column
	c.problems = append(c.problems, p)
}

// wrong adds a problem with the value of a field, unless one of the field, or
// of a field around it, is known.
func (c *collector) wrong(field, suggestion, format string, args ...any) {
	for at := field; ; at = parent(at) {
		if c.faulty[at] {
			return
		}
		if at == "" {
			break
		}
	}
	c.report(c.position(field), Problem{Field: field, Text: fmt.Sprintf(format, args...), Suggestion: suggestion})
}

// missing adds a problem with a field that is not there, unless one with the
// field, or of a field around or in it, is known.
func (c *collector) missing(field, format string, args ...any) {
	for at := range c.faulty {
		if strings.HasPrefix(at, field+".") || strings.HasPrefix(at, field+"[") {
			return
		}
	}
	c.wrong(field, "", format, args...)
}

// position returns where field is, or else what it should be in.
func (c *collector) position(field string) position {
	for ; field != ""; field = parent(field) {
		if at, ok := c.where[field]; ok {
			return at
		}
	}
	if at, ok := c.where[""]; ok {
		return at
	}
	return position{1, 1}
}

// parent returns the path of the field around field; "" at the top.
func parent(field string) string {
	return field[:max(0, strings.LastIndexAny(field, ".["))]
}

// err returns the problems in document order, nil when there are none.
func (c *collector) err() error {
	if len(c.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return &Errors{Problems: c.problems, More: c.more}
}
