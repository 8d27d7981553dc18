package sign

import (
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Reason is why a piece of evidence does not count.
type Reason string

// Reasons, in the order in which they are looked for.
const (
	// Unreadable evidence could not be read from where it is kept.
	Unreadable Reason = "unreadable"
	// TooLarge evidence exceeds a limit.
	TooLarge Reason = "too large"
	// Malformed evidence is not what it says it is.
	Malformed Reason = "malformed"
	// UnknownVersion is a bundle of a version that is not known here.
	UnknownVersion Reason = "unknown version"
	// NoKeyTrusted was signed with a key where identities are trusted only.
	NoKeyTrusted Reason = "signed with a key"
	// NoIdentityTrusted was signed by an identity where keys are trusted only.
	NoIdentityTrusted Reason = "signed by an identity"
	// NotLogged has no entry of a transparency log, which is required.
	NotLogged Reason = "not logged"
	// LogMismatch has an entry that no trusted log signed, or of something else.
	LogMismatch Reason = "log entry does not fit"
	// NoTime has nothing to show that its certificate was valid when it signed.
	NoTime Reason = "no trusted time"
	// BadTimestamp has no timestamp of a trusted authority, or one of something
	// else.
	BadTimestamp Reason = "timestamp does not fit"
	// Future is dated after the time of verification, by a log or a timestamp.
	Future Reason = "dated in the future"
	// UntrustedAuthority has a certificate that no trusted authority issued.
	UntrustedAuthority Reason = "untrusted authority"
	// Expired has a certificate that was not valid when it signed.
	Expired Reason = "certificate not valid"
	// NoSCT has a certificate without the promise of a trusted CT log.
	NoSCT Reason = "certificate not logged"
	// WrongKey was made with another key.
	WrongKey Reason = "wrong key"
	// BadSignature does not fit what it signs: it was changed since, or
	// another key made it.
	BadSignature Reason = "signature does not fit"
	// OtherSubject is good, and about something else.
	OtherSubject Reason = "about something else"
	// WrongIssuer has an identity that another provider vouched for.
	WrongIssuer Reason = "wrong issuer"
	// WrongIdentity was signed by somebody else.
	WrongIdentity Reason = "wrong identity"
	// Unverified does not count for a reason that has no name.
	Unverified Reason = "not verified"
)

// Rejection is a piece of evidence that does not count. It is an error.
type Rejection struct {
	// Source is the digest of the referrer or of the layer it stands in.
	Source v1.Hash
	// Format is FormatBundle or FormatLegacy.
	Format Format
	Reason Reason
	Err    error
}

func (r *Rejection) Error() string {
	return fmt.Sprintf("%s %s: %s: %s", r.Format, short(r.Source), r.Reason, truncate(r.Err.Error()))
}

// Unwrap returns what was found.
func (r *Rejection) Unwrap() error { return r.Err }

// Hint says what a user can do about it; "" when nothing general helps.
func (r *Rejection) Hint() string {
	switch r.Reason {
	case Unreadable:
		var hinted interface{ Hint() string }
		if errors.As(r.Err, &hinted) {
			return hinted.Hint()
		}
	case NoKeyTrusted:
		return "--key names the public key to verify with"
	case NoIdentityTrusted:
		return "--certificate-identity and --certificate-oidc-issuer name who may have signed"
	case WrongKey:
		return "is that the publisher's key? another one signed the image"
	case WrongIdentity, WrongIssuer:
		return "is that whom the publisher names? somebody else signed the image"
	case Expired, NoTime:
		return "the publisher has to sign again, and have the signature logged or stamped while the certificate is valid"
	case Future:
		return "check the clock of this machine; if it is right, the clock of the log or timestamp authority is wrong"
	case BadSignature, OtherSubject:
		return "do not use the image before the publisher has explained it"
	case NotLogged:
		return "signatures that are in no log need --insecure-ignore-tlog"
	case UntrustedAuthority, NoSCT, LogMismatch, BadTimestamp:
		return "signatures of a private deployment need its --trusted-root"
	case UnknownVersion:
		return "a newer pgext may know it"
	}
	return ""
}

// short is enough of a digest to find it.
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
