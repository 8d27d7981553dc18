package sign

import (
	"errors"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/oci"
)

// Limits of the evidence.
const (
	// maxEvidence is the number of signatures and attestations of one subject.
	maxEvidence = 1000
	// maxManifest is the size of a manifest in bytes.
	maxManifest = 4 << 20
	// maxPayload is the size of a bundle or attestation in bytes.
	maxPayload = 64 << 20
	// maxClockSkew is the tolerated lead of the clocks of logs and authorities.
	maxClockSkew = 5 * time.Minute
)

// Who identifies a signer: a key, or an identity with its OIDC issuer.
type Who struct {
	// Key is a fingerprint (see KeyFingerprint); "" for an identity.
	Key              string
	Identity, Issuer string
}

// String returns the form for messages.
func (w Who) String() string {
	if w.Key != "" {
		return "key " + w.Key
	}
	return w.Identity + " of " + w.Issuer
}

// VerifiedSignature is a valid signature of a trusted signer.
type VerifiedSignature struct {
	Subject v1.Hash
	By      Who
	// When is the time of the log entry or timestamp; zero if neither was required.
	When   time.Time
	Format Format
	// Source is the digest of the referrer or legacy layer with the signature.
	Source v1.Hash
}

// VerifiedAttestation is a valid attestation of a trusted signer.
type VerifiedAttestation struct {
	VerifiedSignature
	PredicateType string
	// Statement is the signed in-toto statement (JSON). Subject is one of its
	// subjects.
	Statement []byte
}

// Verdict is the result of verifying the evidence of a subject.
type Verdict struct {
	Subject      v1.Hash
	Signatures   []VerifiedSignature
	Attestations []VerifiedAttestation
	Rejected     []*Rejection
}

// Verify verifies the evidence of subject, and ignores that of other subjects. Each
// signature is verified separately: an invalid one does not affect a valid one.
func (t *Trust) Verify(subject v1.Hash, e oci.Set) Verdict {
	v := Verdict{Subject: subject}
	items := findEvidence(subject, e)
	for i, item := range items {
		if i >= maxEvidence {
			v.reject(item, reject(TooLarge, "%d signatures and attestations, more than %d", len(items), maxEvidence))
			break
		}
		v.add(item, t.evaluate(subject, item))
	}
	return v
}

// evidenceItem is one signature or attestation. Its read may return an error.
type evidenceItem struct {
	format Format
	source v1.Hash
	read   func() (*candidate, error)
}

// evaluation is the result of verifying an evidenceItem.
type evaluation struct {
	by        Who
	when      time.Time
	predicate string
	statement []byte
	err       error
}

// evaluate verifies one item. A panic of a library is a rejection.
func (t *Trust) evaluate(subject v1.Hash, item evidenceItem) (o evaluation) {
	err := recoverPanic(func() error {
		c, err := item.read()
		if err != nil {
			return err
		}
		o, err = t.verify(subject, c)
		return err
	})
	if err != nil {
		return evaluation{err: err}
	}
	return o
}

func (v *Verdict) add(item evidenceItem, o evaluation) {
	made := VerifiedSignature{Subject: v.Subject, By: o.by, When: o.when, Format: item.format, Source: item.source}
	switch {
	case o.err != nil:
		v.reject(item, o.err)
	case o.predicate == PredicateSignature:
		v.Signatures = append(v.Signatures, made)
	default:
		v.Attestations = append(v.Attestations, VerifiedAttestation{made, o.predicate, o.statement})
	}
}

func (v *Verdict) reject(item evidenceItem, err error) {
	r := Rejection{Reason: Unverified, Err: err}
	if found := (*Rejection)(nil); errors.As(err, &found) {
		r = *found
	}
	r.Source, r.Format = item.source, item.format
	v.Rejected = append(v.Rejected, &r)
}

// recoverPanic calls f and returns a panic as a Malformed rejection.
func recoverPanic(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = reject(Malformed, "parsing failed: %v", fmt.Sprint(r))
		}
	}()
	return f()
}
