package license

import (
	"fmt"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"
)

// License is what a set of files is under. The zero License says nothing.
type License struct {
	// Expression is a valid SPDX licence expression (SPDX 2.3, annex D).
	Expression string `json:"expression"`
	// References are the LicenseRef- names in Expression, by ID.
	References []Reference `json:"references,omitempty"`
}

// Reference is a licence that SPDX has no identifier for.
type Reference struct {
	// ID starts with "LicenseRef-". It is made of the name, so it means
	// different things in different packages.
	ID string `json:"id"`
	// Name is Debian's short name; "" when it gives none.
	Name string `json:"name,omitempty"`
	// Text is the licence as the copyright file has it; it may be empty.
	Text string `json:"text,omitempty"`
}

// Join returns the licence of files that are under all of the licences.
func Join(licenses ...License) License {
	var exprs []expression
	var refs []Reference
	for _, l := range licenses {
		if l.Expression == "" {
			continue
		}
		exprs = append(exprs, parsed(l.Expression))
		refs = append(refs, l.References...)
	}
	return License{all(exprs).text(), sortedReferences(refs)}
}

// split cuts an SPDX expression at an operator outside parentheses.
func split(text, operator string) []string {
	var parts []string
	depth, start := 0, 0
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '(':
			depth++
		case text[i] == ')':
			depth--
		case depth == 0 && text[i] == ' ' && strings.HasPrefix(text[i+1:], operator+" "):
			parts = append(parts, text[start:i])
			start = i + len(operator) + 2
			i = start - 1
		}
	}
	return append(parts, text[start:])
}

func sortedReferences(refs []Reference) []Reference {
	slices.SortStableFunc(refs, func(a, b Reference) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(refs, func(a, b Reference) bool { return a.ID == b.ID })
}

// expression is an SPDX expression as a tree of one level: what operator
// joins; a leaf has one part.
type expression struct {
	operator string
	parts    []string
}

// parsed returns the expression that a text stands for.
func parsed(text string) expression {
	if parts := split(text, "OR"); len(parts) > 1 {
		return expression{"OR", parts}
	}
	return expression{"AND", split(text, "AND")}
}

// text returns the expression in SPDX form. AND binds tighter than OR.
func (e expression) text() string { return strings.Join(e.parts, " "+e.operator+" ") }

// all joins with AND, each part once.
func all(exprs []expression) expression {
	return join("AND", exprs, func(e expression) []string {
		if e.operator == "OR" && len(e.parts) > 1 {
			return []string{"(" + e.text() + ")"}
		}
		return e.parts
	})
}

// either joins with OR, each part once.
func either(exprs []expression) expression {
	return join("OR", exprs, func(e expression) []string {
		if e.operator == "OR" {
			return e.parts
		}
		return []string{e.text()}
	})
}

// join collects the parts of expressions, each once.
func join(operator string, exprs []expression, parts func(expression) []string) expression {
	if len(exprs) == 1 {
		return exprs[0]
	}
	joined := expression{operator: operator}
	seen := map[string]bool{}
	for _, e := range exprs {
		for _, p := range parts(e) {
			if !seen[p] {
				seen[p] = true
				joined.parts = append(joined.parts, p)
			}
		}
	}
	if len(joined.parts) == 1 {
		return parsed(strings.TrimSuffix(strings.TrimPrefix(joined.parts[0], "("), ")"))
	}
	return joined
}

// maxExpression bounds an expression, in bytes; the time it takes to check one
// grows with the square.
const maxExpression = 32 << 10

// check refuses what is no SPDX expression.
func check(text string) error {
	if len(text) > maxExpression {
		return fmt.Errorf("the licences make an expression of more than %d bytes", maxExpression)
	}
	if !isExpression(text) {
		return fmt.Errorf("%q is no SPDX expression", text)
	}
	return nil
}

// isExpression asks go-spdx, whose parser panics on some texts that are none,
// such as an open parenthesis.
func isExpression(text string) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	ok, _ = spdxexp.ValidateLicenses([]string{text})
	return ok
}
