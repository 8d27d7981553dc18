package license

import "strings"

// match reports whether a Files pattern matches path: "*" stands for any
// number of any characters, "/" too, "?" for one, and a backslash takes the
// meaning from what follows it. It takes time proportional to the product of
// the lengths.
func match(pattern, path string) bool {
	pattern, path = trimDot(pattern), trimDot(path)
	p, t := 0, 0
	star, mark := -1, 0
	for t < len(path) {
		if p < len(pattern) && pattern[p] == '*' {
			star, mark = p, t
			p++
			continue
		}
		if n := element(pattern[p:], path[t]); n > 0 {
			p += n
			t++
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		p, t = star+1, mark
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// element returns the length of the pattern's first element when it matches
// c, else 0.
func element(pattern string, c byte) int {
	switch {
	case pattern == "":
		return 0
	case pattern[0] == '?':
		return 1
	case pattern[0] == '\\' && len(pattern) > 1:
		if pattern[1] == c {
			return 2
		}
	case pattern[0] == c:
		return 1
	}
	return 0
}

// trimDot removes the "./" that older files begin patterns with.
func trimDot(s string) string { return strings.TrimPrefix(s, "./") }
