package fetch

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Exit codes that errors of this room decide; see the command line's table.
const (
	exitMissing   = 12
	exitUntrusted = 13
)

// NotFoundError reports that every URL of a blob or document answered that it is
// not, or no longer, there (404 or 410).
type NotFoundError struct {
	Name string
	// URLs are those that were tried, as they may be shown.
	URLs []string
	// Others are the names of further ones that are gone as well.
	Others []string
}

func (e *NotFoundError) Error() string {
	text := "not found at " + strings.Join(e.URLs, ", ")
	if len(e.URLs) == 0 {
		text = "no URL is known for it"
	}
	if len(e.Others) > 0 {
		text += "; nor " + enumerate(e.Others)
	}
	return text
}

// ExitCode returns 12, nothing satisfies it.
func (*NotFoundError) ExitCode() int { return exitMissing }

// Hint returns what a user can do.
func (*NotFoundError) Hint() string {
	return "correct the URL or path, or name a mirror of the archive that has it with --mirror NAME=URL"
}

// OfflineError reports that something is not in the cache and no request may be
// made for it.
type OfflineError struct {
	Name string
	// Others are the names of further ones that are missing as well.
	Others []string
}

func (e *OfflineError) Error() string {
	text := "not in the cache, and working offline"
	if len(e.Others) > 0 {
		text += "; nor " + enumerate(e.Others)
	}
	return text
}

// ExitCode returns 12, nothing satisfies it.
func (*OfflineError) ExitCode() int { return exitMissing }

// Hint returns what a user can do.
func (*OfflineError) Hint() string { return "run it once without --offline" }

// enumerate joins names, the first ten of them.
func enumerate(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// isMissing reports whether err is of a kind of which a user wants to hear all.
func isMissing(err error) bool {
	var gone *NotFoundError
	var offline *OfflineError
	return errors.As(err, &gone) || errors.As(err, &offline)
}

// joinMissing makes one error of those that isMissing accepts: the first, which
// also names the others.
func joinMissing(blobs []Blob, errs []error) error {
	first := -1
	var others []string
	for i, err := range errs {
		switch {
		case err == nil:
		case first < 0:
			first = i
		default:
			others = append(others, blobs[i].Name)
		}
	}
	if first < 0 {
		return nil
	}
	err := errs[first]
	var gone *NotFoundError
	var offline *OfflineError
	switch {
	case errors.As(err, &gone):
		err = &NotFoundError{Name: gone.Name, URLs: gone.URLs, Others: others}
	case errors.As(err, &offline):
		err = &OfflineError{Name: offline.Name, Others: others}
	}
	return fmt.Errorf("fetching %s: %w", blobs[first].Name, err)
}

// theCache is the Source of what no URL has served.
const theCache = "the cache"

// MismatchError reports that a place serves other bytes than those asked for.
type MismatchError struct {
	// Source is the URL as it may be shown, or "the cache".
	Source string
	// Kind names the mismatch: "sha256", "sha512" or "size".
	Kind string
	// Got and Want are digests in lower-case hex, or sizes in bytes.
	Got, Want string
	// Size is the number of bytes received or announced.
	Size int64
}

func sizeMismatch(source string, got, want int64) error {
	return &MismatchError{Source: source, Kind: "size", Got: fmt.Sprint(got), Want: fmt.Sprint(want), Size: got}
}

func (e *MismatchError) Error() string {
	if e.Kind == "size" {
		return fmt.Sprintf("%s: size mismatch: got %s bytes, want %s", e.Source, e.Got, e.Want)
	}
	return fmt.Sprintf("%s: %s mismatch: got %s (%d bytes), want %s", e.Source, e.Kind, e.Got, e.Size, e.Want)
}

// ExitCode returns 13, not trustworthy.
func (*MismatchError) ExitCode() int { return exitUntrusted }

// Hint returns what a user can do.
func (e *MismatchError) Hint() string {
	if e.Source == theCache { // which only has what was verified
		return "the index or lock states a wrong size for this digest: restore the lock, or make it again with pgext lock"
	}
	return "what was served is not what the index or lock promises: the mirror may be in the middle of an update, or not to be trusted"
}

// StatusError reports that a server refused.
type StatusError struct {
	URL  string // as it may be shown
	Code int    // HTTP status
}

func (e *StatusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%s: %d %s", e.URL, e.Code, http.StatusText(e.Code)))
}

// Hint returns what a user can do, "" where there is nothing to say.
func (e *StatusError) Hint() string {
	switch e.Code {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "if the host wants a user and password, put them into ~/.netrc or the file that NETRC names"
	case http.StatusProxyAuthRequired:
		return "put user and password of the proxy into HTTPS_PROXY or HTTP_PROXY"
	}
	return ""
}

// certificateError reports that a server could not prove who it is.
type certificateError struct{ err error }

func (e *certificateError) Error() string { return e.err.Error() }
func (e *certificateError) Unwrap() error { return e.err }

// Hint returns what a user can do.
func (*certificateError) Hint() string {
	return "if the host, or a proxy on the way, uses an authority of your own, name its certificates in SSL_CERT_FILE"
}

// unreachableError reports that no answer came from a server, or from the proxy on
// the way to it.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return e.err.Error() }
func (e *unreachableError) Unwrap() error { return e.err }

// Hint returns what a user can do.
func (*unreachableError) Hint() string {
	return "is the network up, and the proxy right (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)? " +
		"--mirror NAME=URL names another server of an archive, --archive NAME replaces the list of archives"
}

// isGone reports whether err says that nothing is there. Some servers answer 403
// for that; but so does one that wants a password, which a user must be told.
func isGone(err error) bool {
	var status *StatusError
	if errors.As(err, &status) {
		return status.Code == http.StatusNotFound || status.Code == http.StatusGone
	}
	return errors.Is(err, errNoFile)
}

// tooLargeError reports that more bytes came than allowed.
type tooLargeError struct {
	at    string
	limit int64
}

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("%s: larger than %d bytes", e.at, e.limit)
}
