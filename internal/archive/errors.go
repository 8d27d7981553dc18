package archive

import (
	"fmt"
	"strings"
)

// Reason reports why something is not trusted.
type Reason uint8

// The reasons of a TrustError.
const (
	Malformed    Reason = iota // not the form a Release or signature has
	Unsigned                   // neither InRelease nor Release.gpg
	UnknownKey                 // no signature by a key of the keyring
	UnpinnedKey                // signed, but by none of the named fingerprints
	UnfitKey                   // a key that may not sign, or has no valid self-signature
	WeakKey                    // a weak digest, algorithm or key size
	ExpiredKey                 // a key past its validity
	RevokedKey                 // a key its owner has withdrawn
	BadSignature               // a signature that does not fit the text
	WrongSuite                 // another suite than the one asked for
	Expired                    // past Valid-Until
	Future                     // made later than this machine's clock shows
	Mismatch                   // an index with another digest or size
)

// hints say what a user can do about a reason.
var hints = [...]string{
	Malformed:    "something between here and the archive may answer in its place (a proxy, a login page)",
	Unsigned:     "pgext reads signed archives only; ask its owner for a signature",
	UnknownKey:   "if the archive has a new key, get it from its owner and put it into signed_by; keys of built-in archives come with pgext",
	UnpinnedKey:  "compare the fingerprint with the one its owner publishes, then correct the archive's fingerprints",
	UnfitKey:     "get the archive's current key from its owner and put it into signed_by",
	WeakKey:      "get a stronger key from the archive's owner; SHA-1, MD5, DSA and RSA below 2048 bits are not accepted",
	ExpiredKey:   "get the archive's current key from its owner and put it into signed_by; keys of built-in archives come with pgext",
	RevokedKey:   "get the archive's current key from its owner and put it into signed_by",
	BadSignature: "try again; if it stays, name another mirror with --mirror NAME=URL",
	WrongSuite:   "check the suite's name; if it is right, the mirror serves another suite in its place",
	Expired:      "the mirror lags behind, or its suite is no longer updated: --allow-expired (PGEXT_ALLOW_EXPIRED=1) accepts it, and the lock records that",
	Future:       "check this machine's clock",
	Mismatch:     "the mirror may be in the middle of an update: try again, or name another with --mirror NAME=URL",
}

// TrustError reports that an archive, or what a mirror made of it, is not
// trustworthy.
type TrustError struct {
	Reason Reason
	// URL is the file that was refused, without credentials.
	URL string
	// Text completes "URL: ".
	Text string
	Err  error // the cause, where there is one
}

func (e *TrustError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.URL, e.Text, e.Err)
	}
	return e.URL + ": " + e.Text
}

// Unwrap returns the cause.
func (e *TrustError) Unwrap() error { return e.Err }

// Hint returns what a user can do.
func (e *TrustError) Hint() string { return hints[e.Reason] }

// ExitCode is 13: not trustworthy.
func (*TrustError) ExitCode() int { return 13 }

// refuse returns a TrustError that still lacks its URL.
func refuse(r Reason, format string, args ...any) *TrustError {
	return &TrustError{Reason: r, Text: fmt.Sprintf(format, args...)}
}

// UnknownSuiteError reports that a root has neither InRelease nor Release for a
// suite.
type UnknownSuiteError struct {
	Archive, Suite string
	URL            string // of the root that was asked, without credentials
}

func (e *UnknownSuiteError) Error() string {
	return fmt.Sprintf("%s has no suite %s", e.URL, e.Suite)
}

// Hint returns what a user can do.
func (e *UnknownSuiteError) Hint() string {
	return "check the distribution's name; a mirror that lacks it can be replaced with --mirror " + e.Archive + "=URL"
}

// ExitCode is 12: nothing in the archives has it.
func (*UnknownSuiteError) ExitCode() int { return 12 }

// UnknownIndexError reports that a Release names no Packages file for a component
// and architecture.
type UnknownIndexError struct {
	URL             string // of the Release, without credentials
	Component, Arch string
	Archs           []string // that the component has
}

func (e *UnknownIndexError) Error() string {
	return fmt.Sprintf("%s: has no packages for %s in component %s", e.URL, e.Arch, e.Component)
}

// Hint names what there is instead.
func (e *UnknownIndexError) Hint() string {
	if len(e.Archs) == 0 {
		return "the suite has no component of that name"
	}
	return "it has them for " + strings.Join(e.Archs, ", ")
}

// ExitCode is 12: nothing in the archives has it.
func (*UnknownIndexError) ExitCode() int { return 12 }

// InvalidError reports that an archive, or a mirror for it, is described in a way
// that cannot work.
type InvalidError struct {
	Archive string
	Text    string
	hint    string
}

func (e *InvalidError) Error() string {
	if e.Archive == "" {
		return e.Text
	}
	return fmt.Sprintf("archive %s: %s", e.Archive, e.Text)
}

// Hint returns what a user can do; it may be empty.
func (e *InvalidError) Hint() string { return e.hint }

// ExitCode is 10: the recipe or the selection is invalid.
func (*InvalidError) ExitCode() int { return 10 }
