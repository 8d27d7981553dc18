package sign

import (
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Reason is the category of a rejection.
type Reason string

// The reasons, in the order of the checks.
const (
	// Unreadable evidence could not be read from the registry or layout.
	Unreadable Reason = "unreadable"
	// TooLarge evidence exceeds a limit.
	TooLarge Reason = "too large"
	// Malformed evidence cannot be parsed, or lacks a required part.
	Malformed Reason = "malformed"
	// UnknownVersion is a bundle of an unsupported version.
	UnknownVersion Reason = "unknown version"
	// NoKeyTrusted: signed with a key, but only identities are trusted.
	NoKeyTrusted Reason = "signed with a key"
	// NoIdentityTrusted: signed by an identity, but only keys are trusted.
	NoIdentityTrusted Reason = "signed by an identity"
	// NotLogged: the required entry in a transparency log is missing.
	NotLogged Reason = "not logged"
	// LogMismatch: the log entry is for another signature, or not from a trusted log.
	LogMismatch Reason = "invalid log entry"
	// NoTime: nothing proves that the certificate was valid at the time of signing.
	NoTime Reason = "no trusted time"
	// BadTimestamp: the timestamp is for other content, or not from a trusted
	// authority.
	BadTimestamp Reason = "invalid timestamp"
	// Future: the log entry or timestamp is later than the time of verification.
	Future Reason = "dated in the future"
	// UntrustedAuthority: no trusted authority issued the certificate.
	UntrustedAuthority Reason = "untrusted authority"
	// Expired: the certificate was not valid at the time of signing.
	Expired Reason = "certificate not valid"
	// NoSCT: the certificate has no signed timestamp of a trusted certificate
	// transparency log.
	NoSCT Reason = "certificate not logged"
	// WrongKey: signed with another key.
	WrongKey Reason = "wrong key"
	// BadSignature: signed with another key, or the content was changed.
	BadSignature Reason = "invalid signature"
	// OtherSubject: valid, but for another subject.
	OtherSubject Reason = "wrong subject"
	// WrongIssuer: another OIDC provider authenticated the identity.
	WrongIssuer Reason = "wrong issuer"
	// WrongIdentity: signed by another identity.
	WrongIdentity Reason = "wrong identity"
	// Unverified: any other error.
	Unverified Reason = "not verified"
)

// Rejection is the error of a signature or attestation that was not accepted.
type Rejection struct {
	// Source is the digest of the referrer or legacy layer.
	Source v1.Hash
	// Format is FormatBundle or FormatLegacy.
	Format Format
	Reason Reason
	Err    error
}

func (r *Rejection) Error() string {
	if r.Format == "" { // not about evidence, such as a panic while reading a trusted root
		return fmt.Sprintf("%s: %s", r.Reason, truncate(r.Err.Error()))
	}
	return fmt.Sprintf("%s %s: %s: %s", r.Format, short(r.Source), r.Reason, truncate(r.Err.Error()))
}

// Unwrap returns the cause.
func (r *Rejection) Unwrap() error { return r.Err }

// Hint returns the next step for the user; "" if none is known.
func (r *Rejection) Hint() string {
	switch r.Reason {
	case Unreadable:
		var hinted interface{ Hint() string }
		if errors.As(r.Err, &hinted) {
			return hinted.Hint()
		}
	case NoKeyTrusted:
		return "pass the public key with --key"
	case NoIdentityTrusted:
		return "pass the trusted identity with --certificate-identity and --certificate-oidc-issuer"
	case WrongKey:
		return "check that the trusted key belongs to the publisher: another key signed the image"
	case WrongIdentity, WrongIssuer:
		return "check that the trusted identity belongs to the publisher: another identity signed the image"
	case Expired, NoTime:
		return "ask the publisher to sign again, with a log entry or timestamp while the certificate is valid"
	case Future:
		return "check the clock of this machine; if it is correct, the clock of the log or timestamp authority is wrong"
	case BadSignature, OtherSubject:
		return "do not use the image before the publisher has explained it"
	case NotLogged:
		return "use --insecure-ignore-tlog for signatures without a log entry"
	case UntrustedAuthority, NoSCT, LogMismatch, BadTimestamp:
		return "pass the --trusted-root of the private deployment that signed the image"
	case UnknownVersion:
		return "use a newer version of pgext"
	}
	return ""
}

// short returns the first 12 hex digits of a digest.
func short(h v1.Hash) string {
	if len(h.Hex) < 12 {
		return h.String()
	}
	return h.Algorithm + ":" + h.Hex[:12]
}

// reject returns a *Rejection; Verdict.reject sets its Source and Format.
func reject(reason Reason, format string, args ...any) error {
	return &Rejection{Reason: reason, Err: fmt.Errorf(format, args...)}
}
