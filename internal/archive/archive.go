package archive

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// Archive describes an archive as a recipe or the table of built-in ones
// names it.
type Archive struct {
	// Name is the name in recipes, locks and --mirror.
	Name string
	// URL is the official root, the folder that holds dists and pool.
	URL string
	// Suites are folders below dists, such as forky and forky-updates.
	Suites []string
	// Optional are those of Suites that the archive need not have.
	Optional []string
	// Components to read of each suite; nil means main.
	Components []string
	// Keyring holds the OpenPGP keys one of which must have signed, binary or
	// armored.
	Keyring []byte
	// Fingerprints, where given, restrict the keyring to these primary keys
	// or subkeys: 40 (or 64) hex digits each.
	Fingerprints []string
	// Origin and Label are what the Release of a mirror in the host's apt
	// sources must say; without Origin those sources are not considered.
	Origin, Label string
	// History holds further roots, whose pool has files that URL's no longer
	// has.
	History []string
	// SnapshotRoot is the folder of dated copies on snapshot.debian.org; ""
	// where there are none.
	SnapshotRoot string
	// Snapshot reads the archive as it was then. Nothing in it expires.
	Snapshot time.Time
	// NoValidUntil ignores Valid-Until.
	NoValidUntil bool
}

// complete returns the archive with its defaults, or an *InvalidError.
func (a Archive) complete() (Archive, error) {
	invalid := func(format string, args ...any) (Archive, error) {
		return Archive{}, &InvalidError{Archive: a.Name, Text: fmt.Sprintf(format, args...)}
	}
	if len(a.Components) == 0 {
		a.Components = []string{"main"}
	}
	u, err := url.Parse(a.URL)
	if err != nil || !isRoot(u) {
		return invalid("url is not an http, https or file URL of a folder")
	}
	a.URL = strings.TrimRight(a.URL, "/")
	if len(a.Suites) == 0 {
		return invalid("no suite is named")
	}
	for _, s := range a.Suites {
		if strings.HasSuffix(s, "/") {
			return invalid("suite %q is a flat repository, which has no signed components: only archives with dists/SUITE can be read", s)
		}
		if !isPath(s) {
			return invalid("suite %q is not the name of a folder below dists", s)
		}
	}
	for _, c := range a.Components {
		if !isPath(c) {
			return invalid("component %q is not a name", c)
		}
	}
	for _, f := range a.Fingerprints {
		if !isFingerprint(normalFingerprint(f)) {
			return invalid("fingerprint %q is not 40 hex digits; shorter key ids can be forged", f)
		}
	}
	if !a.Snapshot.IsZero() && a.SnapshotRoot == "" {
		if a.SnapshotRoot = snapshotRoot(u); a.SnapshotRoot == "" {
			return invalid("snapshot is known for Debian's own archives only")
		}
	}
	return a, nil
}

// snapshotRoot returns where snapshot.debian.org keeps the archive whose root
// on one of Debian's own hosts is u; "" for any other.
func snapshotRoot(u *url.URL) string {
	name := path.Base(u.Path)
	if !strings.HasSuffix(u.Hostname(), ".debian.org") || (name != "debian" && name != "debian-security") {
		return ""
	}
	return "https://snapshot.debian.org/archive/" + name
}

// isPath reports whether s is a relative path of plain elements.
func isPath(s string) bool {
	return s != "" && s == path.Clean(s) && s[0] != '/' && !strings.HasPrefix(s, "..") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' })
}

// optional reports whether the archive need not have suite.
func (a Archive) optional(suite string) bool { return slices.Contains(a.Optional, suite) }
