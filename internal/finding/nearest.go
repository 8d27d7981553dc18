package finding

import "strings"

// Nearest returns the registered code that is most similar to code: the one with
// the nearest number, or the one with the most equal characters if code has no
// digits.
func Nearest(code string) string {
	best, least := "", 0
	for _, k := range Kinds() {
		if d := codeDistance(strings.ToUpper(code), k.Code); best == "" || d < least {
			best, least = k.Code, d
		}
	}
	return best
}

// codeDistance returns the difference of the numbers of two codes, or the number
// of different characters if a has no number.
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

// codeNumber returns the number in a code, -1 if it has no digits.
func codeNumber(code string) int {
	n := -1
	for _, c := range code {
		if c >= '0' && c <= '9' && n < 1<<20 {
			n = max(n, 0)*10 + int(c-'0')
		}
	}
	return n
}
