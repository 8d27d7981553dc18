package archive

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/redact"
)

// Mirror is the root URL of a copy of an archive. It may hold credentials,
// which its printed forms leave out; string(m) is for the one who fetches.
type Mirror string

// String returns the URL without credentials.
func (m Mirror) String() string { return redact.Address(string(m)) }

// GoString implements fmt.GoStringer, without credentials.
func (m Mirror) GoString() string { return fmt.Sprintf("archive.Mirror(%q)", m.String()) }

// MarshalText implements encoding.TextMarshaler, without credentials.
func (m Mirror) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// mirrorHint shows how a mirror is written.
const mirrorHint = "write it as NAME=URL, such as debian=https://mirror.example.org/debian"

// ParseMirrors reads NAME=URL pairs, each value holding any number of them
// between white space: what --mirror and PGEXT_MIRROR take. It returns the
// root by the archive's name, and an *InvalidError that shows no credentials.
func ParseMirrors(values ...string) (map[string]Mirror, error) {
	mirrors := make(map[string]Mirror)
	for _, pair := range strings.Fields(strings.Join(values, " ")) {
		name, root, ok := strings.Cut(pair, "=")
		if !ok || name == "" || strings.Contains(name, "/") {
			return nil, &InvalidError{Text: "mirror without an archive's name", hint: mirrorHint}
		}
		if _, again := mirrors[name]; again {
			return nil, &InvalidError{Archive: name, Text: "two mirrors are named"}
		}
		u, err := url.Parse(root)
		if err != nil || !isRoot(u) {
			return nil, &InvalidError{Archive: name, Text: "its mirror is not an http, https or file URL of a folder", hint: mirrorHint}
		}
		mirrors[name] = trimmed(root)
	}
	return mirrors, nil
}

// isRoot reports whether u can be the root of an archive.
func isRoot(u *url.URL) bool {
	switch u.Scheme {
	case "http", "https":
		return u.Host != "" && u.RawQuery == "" && u.Fragment == ""
	case "file":
		return u.Host == "" && strings.HasPrefix(u.Path, "/") && u.RawQuery == "" && u.Fragment == ""
	}
	return false
}

func trimmed(root string) Mirror { return Mirror(strings.TrimRight(root, "/")) }

// poolDelay is added to a Release's date to find a snapshot with everything
// it names: the next snapshots follow within six hours, and Debian keeps
// superseded files in its pool for longer than a day.
const poolDelay = 12 * time.Hour

// URLs returns where the file at a path below the archive's root may be found,
// the likeliest place first: the mirrors, the dated copy that a reads, the
// official root, the archive's history, and a snapshot from the time of a
// Release that named the file (at; zero when unknown). They may hold the
// mirrors' credentials.
func URLs(a Archive, mirrors []Mirror, filename string, at time.Time) []string {
	roots := append([]Mirror(nil), mirrors...)
	if !a.Snapshot.IsZero() && a.SnapshotRoot != "" {
		roots = append(roots, a.snapshot(a.Snapshot))
	}
	roots = append(roots, trimmed(a.URL))
	for _, root := range a.History {
		roots = append(roots, trimmed(root))
	}
	if !at.IsZero() && a.SnapshotRoot != "" {
		roots = append(roots, a.snapshot(at.Add(poolDelay)))
	}
	var urls []string
	seen := make(map[Mirror]bool)
	for _, root := range roots {
		if root != "" && !seen[root] {
			seen[root] = true
			urls = append(urls, root.join(filename))
		}
	}
	return urls
}

// snapshot returns the root of the dated copy from t.
func (a Archive) snapshot(t time.Time) Mirror {
	return Mirror(a.SnapshotRoot + "/" + t.UTC().Format("20060102T150405Z"))
}

// join returns the URL of a path below the root. A plus sign is escaped, as
// apt does, because some object stores read it as a space.
func (m Mirror) join(name string) string {
	elements := strings.Split(name, "/")
	for i, e := range elements {
		elements[i] = strings.ReplaceAll(url.PathEscape(e), "+", "%2B")
	}
	return string(m) + "/" + strings.Join(elements, "/")
}
