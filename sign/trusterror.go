package sign

import (
	"errors"
	"fmt"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/pgext/pgext/internal/redact"
)

// exitUntrusted is that of what was received and cannot be trusted.
const exitUntrusted = 13

// TrustFileError says why a file does not tell whom to trust, or with whom to
// sign.
type TrustFileError struct {
	// What is "public key", "trusted root" or "signing config".
	What string
	// File is its name; "" for bytes.
	File string
	Err  error

	hint string
}

func (e *TrustFileError) Error() string {
	where := e.What
	if e.File != "" {
		where += " " + e.File
	}
	return where + ": " + truncate(e.Err.Error())
}

// Unwrap returns the cause.
func (e *TrustFileError) Unwrap() error { return e.Err }

// Hint says where such a file comes from.
func (e *TrustFileError) Hint() string { return e.hint }

// RootError says why there is no trusted root, or no signing config, of a
// deployment.
type RootError struct {
	// What is "trusted root" or "signing config".
	What   string
	Mirror string
	Err    error

	hint string
}

func (e *RootError) Error() string {
	return "fetching the " + e.What + " from " + redact.Address(e.Mirror) + ": " + truncate(redactSecrets(e.Err.Error()))
}

// Unwrap returns the cause.
func (e *RootError) Unwrap() error { return e.Err }

// ExitCode is that of what cannot be trusted where the repository answered with
// something unsigned, expired or older than before, and that of a failure where
// it did not answer.
func (e *RootError) ExitCode() int {
	if errors.Is(e.Err, &metadata.ErrRepository{}) {
		return exitUntrusted
	}
	return 1
}

// Hint names the way that needs no network.
func (e *RootError) Hint() string { return e.hint }

// NotSignedError says that no signature of a subject counts.
type NotSignedError struct {
	Verdict Verdict
}

func (e *NotSignedError) Error() string {
	v := e.Verdict
	switch {
	case len(v.Rejected) == 0 && len(v.Attestations) == 0:
		return fmt.Sprintf("%s is not signed", v.Subject)
	case len(v.Rejected) == 0:
		return fmt.Sprintf("%s has attestations and no signature", v.Subject)
	case len(v.Rejected) == 1:
		return fmt.Sprintf("%s has no signature that counts: %v", v.Subject, v.Rejected[0])
	}
	return fmt.Sprintf("%s has no signature that counts: %v (and %d more)", v.Subject, v.Rejected[0], len(v.Rejected)-1)
}

// ExitCode is that of what cannot be trusted, or of the first piece that could
// not be read: it might have counted.
func (e *NotSignedError) ExitCode() int {
	for _, r := range e.Verdict.Rejected {
		if r.Reason == Unreadable {
			return r.ExitCode()
		}
	}
	return exitUntrusted
}

// Hint is that of the first piece that could not be read, or else of the first
// rejection that has one.
func (e *NotSignedError) Hint() string {
	if len(e.Verdict.Rejected) == 0 {
		return "pgext sign signs what was pushed"
	}
	for _, r := range e.Verdict.Rejected {
		if r.Reason == Unreadable {
			return r.Hint()
		}
	}
	for _, r := range e.Verdict.Rejected {
		if hint := r.Hint(); hint != "" {
			return hint
		}
	}
	return ""
}
