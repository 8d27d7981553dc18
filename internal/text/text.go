package text

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Truncate returns at most the first limit bytes of s, cut at a rune boundary,
// followed by "…" if anything was removed.
func Truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}

// TruncateLine collapses every run of white space in s to one space and
// truncates the result.
func TruncateLine(s string, limit int) string {
	return Truncate(strings.Join(strings.Fields(s), " "), limit)
}

// List joins names for a sentence: "a", "a and b", "a, b and c".
func List(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// Plural formats a count with its noun: "1 file", "2 files".
func Plural(n int, singular, plural string) string {
	if n == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %s", n, plural)
}
