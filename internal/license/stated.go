package license

import (
	"fmt"
	"slices"
	"strings"
)

// Stated returns the licence of a package whose copyright file is text and was
// read as l: l itself, or where that says nothing a reference to the whole
// text. name, that of the package or its source, goes into that reference.
// Every reference has a text.
func Stated(name, text string, l License) License {
	if l.Expression == "" {
		return Whole(name, text)
	}
	refs := slices.Clone(l.References)
	for i, r := range refs {
		if strings.TrimSpace(r.Text) == "" { // named and nowhere quoted: the file says what there is to say
			refs[i].Text = strings.TrimSpace(text)
		}
	}
	return License{l.Expression, refs}
}

// Whole returns the licence that is stated by a text as a whole, such as a
// copyright file for people: LicenseRef-NAME-copyright.
func Whole(name, text string) License {
	id := strings.Trim("LicenseRef-"+slug(name), "-") + "-copyright"
	text = strings.TrimSpace(text)
	if text == "" {
		text = fmt.Sprintf("The copyright file of %s is empty.", name)
	}
	return License{id, []Reference{{ID: id, Name: "copyright file of " + name, Text: text}}}
}

// Unstated returns the licence of what comes without a copyright file. It
// names no terms; it says that there are none to be read.
func Unstated(name string) License {
	id := strings.Trim("LicenseRef-"+slug(name), "-") + "-unstated"
	return License{id, []Reference{{
		ID: id, Name: "unstated licence of " + name,
		Text: fmt.Sprintf("%s was delivered without a copyright file. Its terms have to be asked of its authors.", name),
	}}}
}

// Renamed returns the licence with new IDs of its references, which id gives.
// An identifier of the expression that starts with "LicenseRef-" and has no
// reference gets one without a text first.
func (l License) Renamed(id func(Reference) string) License {
	refs := map[string]Reference{}
	for _, r := range l.References {
		refs[r.ID] = r
	}
	out := License{}
	renamed := map[string]bool{}
	out.Expression = eachIdentifier(l.Expression, func(word string) string {
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

// Valid returns an error for what is no SPDX licence expression.
func Valid(expression string) error { return check(expression) }

// eachIdentifier replaces every word of an expression.
func eachIdentifier(expression string, replace func(string) string) string {
	var b strings.Builder
	start := -1
	flush := func(end int) {
		if start >= 0 {
			b.WriteString(replace(expression[start:end]))
			start = -1
		}
	}
	for i := range len(expression) {
		switch expression[i] {
		case ' ', '(', ')':
			flush(i)
			b.WriteByte(expression[i])
		default:
			if start < 0 {
				start = i
			}
		}
	}
	flush(len(expression))
	return b.String()
}
