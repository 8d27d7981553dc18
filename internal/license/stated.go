package license

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Stated returns the licence of a package with the copyright file text, of which l is
// the result of Upstream. If l is unknown, it returns a reference to the whole text. A
// reference without a text gets the whole text. name is the name of the package or
// source, used in the ID LicenseRef-NAME-copyright.
func Stated(name, text string, l License) License {
	text = strings.TrimSpace(text)
	if l.Expression == "" {
		id := strings.Trim("LicenseRef-"+slug(name), "-") + "-copyright"
		if text == "" {
			text = fmt.Sprintf("The copyright file of %s is empty.", name)
		}
		return License{id, []Reference{{ID: id, Name: "copyright file of " + name, Text: text}}}
	}
	refs := slices.Clone(l.References)
	for i, r := range refs {
		if strings.TrimSpace(r.Text) == "" {
			refs[i].Text = text
		}
	}
	return License{l.Expression, refs}
}

// Unstated returns a licence reference for a package without a copyright file. Its text
// states that the terms are unknown.
func Unstated(name string) License {
	id := strings.Trim("LicenseRef-"+slug(name), "-") + "-unstated"
	return License{id, []Reference{{
		ID: id, Name: "unstated licence of " + name,
		Text: fmt.Sprintf("%s was delivered without a copyright file. Its terms have to be asked of its authors.", name),
	}}}
}

// expressionWord matches an identifier or operator of an expression.
var expressionWord = regexp.MustCompile(`[^ ()]+`)

// Renamed returns the licence with the ID of each reference replaced by the result of
// id. For a "LicenseRef-" in the expression without a reference, it calls id with a
// reference without a text.
func (l License) Renamed(id func(Reference) string) License {
	refs := map[string]Reference{}
	for _, r := range l.References {
		refs[r.ID] = r
	}
	out := License{}
	renamed := map[string]bool{}
	out.Expression = expressionWord.ReplaceAllStringFunc(l.Expression, func(word string) string {
		if !strings.HasPrefix(word, "LicenseRef-") {
			return word
		}
		r, ok := refs[word]
		if !ok {
			r = Reference{ID: word}
		}
		r.ID = id(r)
		if !renamed[r.ID] {
			renamed[r.ID] = true
			out.References = append(out.References, r)
		}
		return r.ID
	})
	out.References = sortedReferences(out.References)
	return out
}
