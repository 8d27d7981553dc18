package metadata

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// maxTag is the maximum length of a tag in the OCI distribution specification,
// whose grammar is [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}.
const maxTag = 128

// Stamp returns the time in an immutable tag: YYYYMMDDhhmm in UTC.
func Stamp(epoch time.Time) string { return epoch.UTC().Format("200601021504") }

// Tags returns the two tags of an image in CloudNativePG's format: the moving
// tag <version>-<postgres>-<distro> and the immutable tag
// <version>-<YYYYMMDDhhmm>-<postgres>-<distro>. A revision above 0 appends
// -r<revision> to the immutable tag. epoch is the creation time of the index. A
// version that is too long for a tag is truncated.
func Tags(version string, postgres int, distro string, epoch time.Time, revision int) (moving, immutable string) {
	target := fmt.Sprintf("-%d-%s", postgres, distro)
	fixed := "-" + Stamp(epoch) + target
	if revision > 0 {
		fixed += fmt.Sprintf("-r%d", revision)
	}
	version = version[:max(0, min(len(version), maxTag-len(fixed)))]
	return SanitizeTag(version + target), SanitizeTag(version + fixed)
}

// immutable matches the end of an immutable tag.
var immutable = regexp.MustCompile(`[-_][0-9]{12}-[0-9]+-[a-z0-9]+(-r[0-9]+)?$`)

// Immutable reports whether a tag has the format of an immutable one.
func Immutable(tag string) bool { return immutable.MatchString(tag) }

// Tag holds the elements of a tag made by Tags.
type Tag struct {
	// Version is the image's version after SanitizeTag.
	Version string
	// Stamp is the time (see Stamp); "" in a moving tag.
	Stamp string
	// Revision is 0 if the tag has none.
	Revision int
}

var tagForm = regexp.MustCompile(`^(.+?)(?:-([0-9]{12}))?-([0-9]+)-([a-z0-9]+)(?:-r([0-9]+))?$`)

// ParseTag parses a tag made by Tags. It returns false for other tags and for
// another PostgreSQL major version or distribution.
func ParseTag(tag string, postgres int, distro string) (Tag, bool) {
	found := tagForm.FindStringSubmatch(tag)
	if found == nil || found[3] != strconv.Itoa(postgres) || found[4] != distro {
		return Tag{}, false
	}
	revision, _ := strconv.Atoi(found[5]) // "" is 0
	return Tag{Version: found[1], Stamp: found[2], Revision: revision}, true
}

// notInTag matches a character that a tag must not contain.
var notInTag = regexp.MustCompile(`[^a-zA-Z0-9._-]`)

// SanitizeTag makes a valid tag from s: it replaces invalid characters by "-" ("_" at
// the start) and truncates to the maximum length. For "" it returns "_".
func SanitizeTag(s string) string {
	s = notInTag.ReplaceAllString(s[:min(len(s), maxTag)], "-")
	switch {
	case s == "":
		return "_"
	case s[0] == '-', s[0] == '.':
		return "_" + s[1:]
	}
	return s
}
