package metadata

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// maxTag is the longest tag of the OCI distribution specification, whose
// grammar is [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}.
const maxTag = 128

// stamp is the time in an immutable tag: YYYYMMDDhhmm.
const stamp = "200601021504"

// Tags returns the two tags of an image as CloudNativePG writes them:
// <version>-<postgres>-<distro>, which moves, and
// <version>-<YYYYMMDDhhmm>-<postgres>-<distro>, which never does. A revision
// above 0 appends -r<revision> to the latter. epoch is the index's; a version
// too long for a tag is cut, nothing else is.
func Tags(version string, postgres int, distro string, epoch time.Time, revision int) (moving, immutable string) {
	target := fmt.Sprintf("-%d-%s", postgres, distro)
	fixed := "-" + epoch.UTC().Format(stamp) + target
	if revision > 0 {
		fixed += fmt.Sprintf("-r%d", revision)
	}
	version = version[:max(0, min(len(version), maxTag-len(fixed)))]
	return SanitizeTag(version + target), SanitizeTag(version + fixed)
}

// immutable is the end of a tag with a time in it.
var immutable = regexp.MustCompile(`[-_][0-9]{12}-[0-9]+-[a-z0-9]+(-r[0-9]+)?$`)

// Immutable tells whether a tag has the form of those that never move.
func Immutable(tag string) bool { return immutable.MatchString(tag) }

// SanitizeTag returns s with every byte that a tag may not hold replaced by
// "-" (at the start "_") and no longer than a tag may be. An empty s is "_".
func SanitizeTag(s string) string {
	b := []byte(s[:min(len(s), maxTag)])
	for i, c := range b {
		if !tagByte(c) {
			b[i] = '-'
		}
	}
	if len(b) == 0 {
		return "_"
	}
	if b[0] == '-' || b[0] == '.' {
		b[0] = '_'
	}
	return string(b)
}

func tagByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-", c) >= 0
}
