package finding

import "strings"

// Nearest returns the code that is most like what somebody typed: the one with
// the nearest number, or without digits the one that has most of its characters
// at the same place.
func Nearest(code string) string {
	best, least := "", 0
	for _, k := range Kinds() {
		if d := codeDistance(strings.ToUpper(code), k.Code); best == "" || d < least {
			best, least = k.Code, d
		}
	}
	return best
}

// codeDistance compares the numbers of two codes, and without numbers all of
// their text.
func codeDistance(a, b string) int {
	if x, y := codeNumber(a), codeNumber(b); x >= 0 {
		return max(x-y, y-x)
	}
	d := max(len(a), len(b))
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			d--
		}
	}
	return d
}

// codeNumber is what the digits of a code stand for; -1 without any.
func codeNumber(code string) int {
	n := -1
	for _, c := range code {
		if c >= '0' && c <= '9' && n < 1<<20 {
			n = max(n, 0)*10 + int(c-'0')
		}
	}
	return n
}
