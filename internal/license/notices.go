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

func proseNotices(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if notice.MatchString(line) {
			all = append(all, line)
		}
	}
	return distinct(all)
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
