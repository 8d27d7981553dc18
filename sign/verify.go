package sign

import (
	"errors"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/oci"
)

// Limits of what is looked at.
const (
	// maxEvidence is how many pieces there may be about one subject.
	maxEvidence = 1000
	// maxManifest bounds the manifest of a piece, in bytes.
	maxManifest = 4 << 20
	// maxPayload bounds a bundle or an attestation, in bytes.
	maxPayload = 64 << 20
	// maxClockSkew is how far the clocks of logs and authorities may be ahead.
	maxClockSkew = 5 * time.Minute
)

// Who made a signature: a key, or an identity with the issuer that vouched for
// it.
type Who struct {
	// Key is a fingerprint: see KeyFingerprint.
	Key              string
	Identity, Issuer string
}

// String shows them as messages do.
func (w Who) String() string {
	if w.Key != "" {
		return "key " + w.Key
	}
	return w.Identity + " of " + w.Issuer
}

// VerifiedSignature is a signature that counts.
type VerifiedSignature struct {
	Subject v1.Hash
	By      Who
	// When it was made, as a log or a timestamp authority says; zero when
	// neither was looked at.
	When   time.Time
	Format Format
	// Source is the digest of the referrer or of the layer it stands in.
	Source v1.Hash
}

// VerifiedAttestation is a signed claim that counts.
type VerifiedAttestation struct {
	VerifiedSignature
	PredicateType string
	// Statement is the in-toto statement as it was signed (JSON). Subject is
	// one of its subjects.
	Statement []byte
}

// Verdict is what the evidence about a subject is worth.
type Verdict struct {
	Subject      v1.Hash
	Signatures   []VerifiedSignature
	Attestations []VerifiedAttestation
	Rejected     []*Rejection
}

// Verify judges the evidence about subject. Evidence about other subjects is
// passed over. Every piece is judged on its own: one that does not count takes
// nothing from another that does.
func (t *Trust) Verify(subject v1.Hash, e oci.Set) Verdict {
	v := Verdict{Subject: subject}
	pieces := gather(subject, e)
	for i, p := range pieces {
		if i >= maxEvidence {
			v.refuse(p, reject(TooLarge, "%d pieces of evidence are more than %d", len(pieces), maxEvidence))
			break
		}
		v.add(p, t.judge(subject, p))
	}
	return v
}

// piece is one signature or attestation, or why it could not be read.
type piece struct {
	format Format
	source v1.Hash
	read   func() (*candidate, error)
}

// outcome is what a piece turned out to be.
type outcome struct {
	by        Who
	when      time.Time
	predicate string
	statement []byte
	err       error
}

// judge never panics, whatever the libraries do with a stranger's bytes.
func (t *Trust) judge(subject v1.Hash, p piece) (o outcome) {
	err := recoverPanic(func() error {
		c, err := p.read()
		if err != nil {
			return err
		}
		o, err = t.verify(subject, c)
		return err
	})
	if err != nil {
		return outcome{err: err}
	}
	return o
}

func (v *Verdict) add(p piece, o outcome) {
	made := VerifiedSignature{Subject: v.Subject, By: o.by, When: o.when, Format: p.format, Source: p.source}
	switch {
	case o.err != nil:
		v.refuse(p, o.err)
	case o.predicate == PredicateSignature:
		v.Signatures = append(v.Signatures, made)
	default:
		v.Attestations = append(v.Attestations, VerifiedAttestation{made, o.predicate, o.statement})
	}
}

func (v *Verdict) refuse(p piece, err error) {
	r := Rejection{Reason: Unverified, Err: err}
	if found := (*Rejection)(nil); errors.As(err, &found) {
		r = *found
	}
	r.Source, r.Format = p.source, p.format
	v.Rejected = append(v.Rejected, &r)
}

// recoverPanic calls f and returns a panic as a Malformed rejection.
func recoverPanic(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = reject(Malformed, "it cannot be read: %v", fmt.Sprint(r))
		}
	}()
	return f()
}
