package shown

import (
	"strings"
	"unicode/utf8"
)

// Cut returns the beginning of s, at most limit bytes of whole letters; "…"
// stands for the rest.
func Cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}

// Line is Cut of s as one line, each white space in it a single space.
func Line(s string, limit int) string { return Cut(strings.Join(strings.Fields(s), " "), limit) }
