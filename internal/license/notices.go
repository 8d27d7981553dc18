package license

import (
	"regexp"
	"strings"
)

// notice matches a line of prose that claims a copyright.
var notice = regexp.MustCompile(`(?i)\bcopyright\b.*([12][0-9]{3}|\(c\)|©)|(\(c\)|©).*[12][0-9]{3}`)

// Notices returns the copyright notices of a copyright file, one a line, each
// once, in the order of the file: the Copyright fields of upstream's files
// where it is machine-readable, else the lines that read like one. There may
// be none.
func Notices(text string) []string {
	c, err := Read(text)
	if err != nil {
		return proseNotices(text)
	}
	var all []string
	for _, st := range c.upstream() {
		all = append(all, strings.Split(st.copyright, "\n")...)
	}
	return distinct(all)
}

// proseNotices finds the lines that claim a copyright. One that ends in a
// comma, as a long list of years does, goes on in the next.
func proseNotices(text string) []string {
	var all []string
	var lines []string // of the notice at hand
	for line := range strings.Lines(text) {
		switch {
		case len(lines) > 0 && strings.HasSuffix(strings.TrimSpace(lines[len(lines)-1]), ","):
			lines = append(lines, line)
		case mayClaim(line) && notice.MatchString(line):
			all, lines = append(all, strings.Join(lines, " ")), []string{line}
		}
	}
	return distinct(append(all, strings.Join(lines, " ")))
}

// mayClaim is a cheap look at what notice wants to see.
func mayClaim(line string) bool {
	for _, word := range []string{"opyright", "OPYRIGHT", "(c)", "(C)", "©"} {
		if strings.Contains(line, word) {
			return true
		}
	}
	return false
}

// distinct returns the lines that are not blank, each once.
func distinct(lines []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, l := range lines {
		l = strings.Join(strings.Fields(l), " ")
		if l == "" || l == "." || seen[l] {
			continue
		}
		seen[l] = true
		out = append(out, l)
	}
	return out
}
