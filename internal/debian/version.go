package debian

import (
	"cmp"
	"regexp"
	"strings"
)

// splitVersion cuts [epoch:]upstream[-revision] as Policy 5.6.12 does. What
// precedes the first colon is an epoch only when it is a number, so that any
// string has an order.
func splitVersion(v string) (epoch, upstream, revision string) {
	if before, after, ok := strings.Cut(v, ":"); ok && before != "" && strings.Trim(before, "0123456789") == "" {
		epoch, v = strings.TrimLeft(before, "0"), after
	}
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return epoch, v[:i], v[i+1:]
	}
	return epoch, v, ""
}

// CompareVersions orders two Debian versions (Policy 5.6.12): negative when a
// is older than b, positive when it is newer, zero when neither is, which
// unlike text may happen ("1.0" and "1.0-0"). Text that is no version has an
// order too.
func CompareVersions(a, b string) int {
	if a == b {
		return 0
	}
	ae, au, ar := splitVersion(a)
	be, bu, br := splitVersion(b)
	return cmp.Or(
		cmp.Compare(len(ae), len(be)), // no leading zeros: the longer number is the larger
		cmp.Compare(ae, be),
		compareParts(au, bu),
		compareParts(ar, br),
	)
}

// compareParts compares two upstream versions or two revisions: alternately
// the longest run without digits by character and the longest run of digits
// by value.
func compareParts(a, b string) int {
	for a != "" || b != "" {
		for startsWithOther(a) || startsWithOther(b) {
			if c := cmp.Compare(weight(a), weight(b)); c != 0 {
				return c
			}
			a, b = a[1:], b[1:] // equal weights: both have a character
		}
		var x, y string
		x, a = cutDigits(a)
		y, b = cutDigits(b)
		if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
			return c
		}
	}
	return 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func startsWithOther(s string) bool { return s != "" && !isDigit(s[0]) }

// weight orders the first character of s: a tilde before the end, the end
// before letters, letters before the rest. A digit ends a run as the end of
// the text does.
func weight(s string) int {
	switch {
	case s == "" || isDigit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case isLetter(s[0]):
		return int(s[0])
	}
	return int(s[0]) + 256
}

// cutDigits returns the digits that s starts with, without leading zeros, and
// what follows them.
func cutDigits(s string) (digits, rest string) {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return strings.TrimLeft(s[:n], "0"), s[n:]
}

// repacked matches what maintainers append to an upstream version when they
// change its tarball (Developer's Reference 6.7.8.2), and all that follows.
var repacked = regexp.MustCompile(`(?:[-+~.]?dfsg|[-+~.]ds|[-+~.]repack)(?:[^A-Za-z].*)?$`)

// UpstreamVersion returns what upstream calls the version v: without epoch,
// Debian revision and repacking suffix (+dfsg1, ~ds, …). Of a version such as
// 3.0+really2.9, which Debian uses to go back, it returns 2.9.
func UpstreamVersion(v string) string {
	_, upstream, _ := splitVersion(v)
	if _, really, ok := strings.Cut(upstream, "+really"); ok && strings.Trim(really, ".~+-") != "" {
		upstream = strings.TrimLeft(really, ".~+-")
	}
	if i := repacked.FindStringIndex(upstream); i != nil && i[0] > 0 {
		upstream = upstream[:i[0]]
	}
	return upstream
}
