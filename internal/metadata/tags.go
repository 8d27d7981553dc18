package metadata

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxTag is the longest tag of the OCI distribution specification, whose
// grammar is [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}.
const maxTag = 128

// Stamp is the time in an immutable tag: YYYYMMDDhhmm in UTC.
func Stamp(epoch time.Time) string { return epoch.UTC().Format("200601021504") }

// Tags returns the two tags of an image as CloudNativePG writes them:
// <version>-<postgres>-<distro>, which moves, and
// <version>-<YYYYMMDDhhmm>-<postgres>-<distro>, which never does. A revision
// above 0 appends -r<revision> to the latter. epoch is the index's; a version
// too long for a tag is cut, nothing else is.
func Tags(version string, postgres int, distro string, epoch time.Time, revision int) (moving, immutable string) {
	target := fmt.Sprintf("-%d-%s", postgres, distro)
	fixed := "-" + Stamp(epoch) + target
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

// Tag is what a tag as of Tags says about its image.
type Tag struct {
	// Version is the image's, as a tag can hold it.
	Version string
	// Stamp is as of Stamp; "" in a tag that moves.
	Stamp string
	// Revision is 0 where there is none.
	Revision int
}

var tagForm = regexp.MustCompile(`^(.+?)(?:-([0-9]{12}))?-([0-9]+)-([a-z0-9]+)(?:-r([0-9]+))?$`)

// ParseTag reads a tag of an image for a PostgreSQL major and a distribution;
// false for a tag of another one, and for what is no such tag.
func ParseTag(tag string, postgres int, distro string) (Tag, bool) {
	found := tagForm.FindStringSubmatch(tag)
	if found == nil || found[3] != strconv.Itoa(postgres) || found[4] != distro {
		return Tag{}, false
	}
	revision, _ := strconv.Atoi(found[5]) // "" is 0
	return Tag{Version: found[1], Stamp: found[2], Revision: revision}, true
}

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
