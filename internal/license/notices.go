package license

import (
	"regexp"
	"strings"
)

// notice matches a line with a copyright notice.
var notice = regexp.MustCompile(`(?i)\bcopyright\b.*([12][0-9]{3}|\(c\)|©)|(\(c\)|©).*[12][0-9]{3}`)

// Notices returns the distinct lines of the Copyright fields of upstream's files, in
// the order of the file.
func (c Copyright) Notices() []string {
	var all []string
	for _, st := range c.upstream {
		all = append(all, strings.Split(st.copyright, "\n")...)
	}
	return distinct(all)
}

// ProseNotices returns the distinct copyright notices in a copyright file in prose, in
// the order of the file. A line that ends with a comma, such as a long list of years,
// continues in the next line.
func ProseNotices(text string) []string {
	var all []string
	var lines []string // of the current notice
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

// mayClaim is a fast check for words that notice requires.
func mayClaim(line string) bool {
	for _, word := range []string{"opyright", "OPYRIGHT", "(c)", "(C)", "©"} {
		if strings.Contains(line, word) {
			return true
		}
	}
	return false
}

// distinct returns the distinct lines that are not blank.
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
