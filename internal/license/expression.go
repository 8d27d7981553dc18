package license

import (
	"fmt"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"
)

// License is the licence of a set of files. The zero License stands for an unknown
// licence.
type License struct {
	// Expression is a valid SPDX licence expression (SPDX 2.3, annex D).
	Expression string `json:"expression"`
	// References are the licence references in Expression, sorted by ID.
	References []Reference `json:"references,omitempty"`
}

// Reference is a licence without an SPDX identifier.
type Reference struct {
	// ID starts with "LicenseRef-". It is made from the name, so one ID can have
	// different texts in different packages.
	ID string `json:"id"`
	// Name is Debian's short name; "" if there is none.
	Name string `json:"name,omitempty"`
	// Text is the text in the copyright file; may be "".
	Text string `json:"text,omitempty"`
}

// Join returns the conjunction of licences. It ignores unknown ones.
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

// split splits an SPDX expression at an operator outside parentheses.
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

// sortedReferences returns the references sorted by ID, without duplicates.
func sortedReferences(refs []Reference) []Reference {
	slices.SortStableFunc(refs, func(a, b Reference) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(refs, func(a, b Reference) bool { return a.ID == b.ID })
}

// expression is an SPDX expression, split at its outermost operator. An expression
// without an operator has one part.
type expression struct {
	operator string
	parts    []string
}

// parsed splits a text at its outermost operator.
func parsed(text string) expression {
	if parts := split(text, "OR"); len(parts) > 1 {
		return expression{"OR", parts}
	}
	return expression{"AND", split(text, "AND")}
}

// text returns the expression in SPDX form. AND has precedence over OR.
func (e expression) text() string { return strings.Join(e.parts, " "+e.operator+" ") }

// all joins expressions with AND, without duplicate parts.
func all(exprs []expression) expression {
	return join("AND", exprs, func(e expression) []string {
		if e.operator == "OR" && len(e.parts) > 1 {
			return []string{"(" + e.text() + ")"}
		}
		return e.parts
	})
}

// either joins expressions with OR, without duplicate parts.
func either(exprs []expression) expression {
	return join("OR", exprs, func(e expression) []string {
		if e.operator == "OR" {
			return e.parts
		}
		return []string{e.text()}
	})
}

// join joins the distinct parts of expressions with operator.
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

// maxExpression limits the length of an expression in bytes, because the time to check
// one grows with the square of its length.
const maxExpression = 32 << 10

// Valid returns an error if text is not a valid SPDX licence expression.
func Valid(text string) error {
	if len(text) > maxExpression {
		return fmt.Errorf("licence expression of %d bytes, the limit is %d", len(text), maxExpression)
	}
	if !isExpression(text) {
		return fmt.Errorf("%q is not a valid SPDX expression", text)
	}
	return nil
}

// isExpression parses text with go-spdx, whose parser panics on some invalid texts,
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
