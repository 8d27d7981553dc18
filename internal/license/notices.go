package license

import (
	"regexp"
	"strings"
)

// notice matches a line of prose that claims a copyright.
var notice = regexp.MustCompile(`(?i)\bcopyright\b.*([12][0-9]{3}|\(c\)|©)|(\(c\)|©).*[12][0-9]{3}`)

// Notices returns the Copyright fields of upstream's files, a line each, each
// once, in the order of the file. There may be none.
func (c Copyright) Notices() []string {
	var all []string
	for _, st := range c.upstream {
		all = append(all, strings.Split(st.copyright, "\n")...)
	}
	return distinct(all)
}

// ProseNotices returns the lines of a copyright file for people that claim a
// copyright, each once, in the order of the file. One that ends in a comma, as a
// long list of years does, goes on in the next. There may be none.
func ProseNotices(text string) []string {
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
