package sign

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature/payload"
)

// candidate is a piece of evidence that could be read. Legacy signatures and
// attestations are brought into the form of a bundle, so that there is one way
// to verify.
type candidate struct {
	bundle *bundle.Bundle
	// payload is what a legacy signature signs; nil for statements.
	payload []byte
	// stamped is what the timestamps of a legacy attestation are about; nil
	// when they are about the signature.
	stamped []byte
}

// certificate returns the certificate of the signer, or nil for a key.
func (c *candidate) certificate() *x509.Certificate {
	content, err := c.bundle.VerificationContent()
	if err != nil {
		return nil
	}
	return content.Certificate()
}

// keyHint returns the name that the bundle gives its key, or "".
func (c *candidate) keyHint() string {
	content, err := c.bundle.VerificationContent()
	if err != nil || content.PublicKey() == nil {
		return ""
	}
	return content.PublicKey().Hint()
}

// signed returns the signed payload, the bytes that the signature covers, and the
// signature.
func (c *candidate) signed() (payload, message, sig []byte) {
	if c.payload != nil {
		return c.payload, c.payload, c.bundle.GetMessageSignature().GetSignature()
	}
	e := c.bundle.GetDsseEnvelope()
	if e.GetPayloadType() != payloadType || len(e.GetSignatures()) != 1 {
		return nil, nil, nil
	}
	return e.GetPayload(), preAuth(e.GetPayload()), e.GetSignatures()[0].GetSig()
}

// verify accepts c only if sigstore-go does and what was signed is about
// subject.
func (t *Trust) verify(subject v1.Hash, c *candidate) (outcome, error) {
	if _, err := c.bundle.VerificationContent(); err != nil {
		return outcome{}, reject(Malformed, "%w", err)
	}
	certified := c.certificate() != nil
	var o outcome
	var err error
	if certified {
		o, err = t.byIdentity(subject, c)
	} else {
		o, err = t.byKey(subject, c)
	}
	if err == nil && t.logged(certified) {
		err = c.whatIsLogged()
	}
	if err == nil && time.Until(o.when) > maxClockSkew {
		err = reject(Future, "it was made at %s", stamp(o.when))
	}
	if err != nil {
		return outcome{}, err
	}
	if c.payload != nil {
		o.predicate = PredicateSignature
		return o, checkPayload(c.payload, subject)
	}
	return o, o.readStatement(c)
}

func (t *Trust) byIdentity(subject v1.Hash, c *candidate) (outcome, error) {
	if len(t.identities) == 0 {
		return outcome{}, reject(NoIdentityTrusted, "%s signed it, and only keys are trusted", signerOf(c))
	}
	policy := make([]verify.PolicyOption, len(t.identities))
	for i, identity := range t.identities {
		policy[i] = verify.WithCertificateIdentity(identity)
	}
	v, err := t.verification(subject, c, t.authority, t.certificateRules(c))
	if err != nil {
		return outcome{}, err
	}
	result, err := v.run(policy...)
	if err != nil {
		return outcome{}, err
	}
	by := Who{Identity: result.Signature.Certificate.SubjectAlternativeName, Issuer: result.Signature.Certificate.Issuer}
	return outcome{by: by, when: earliest(result.VerifiedTimestamps)}, nil
}

// certificateRules say what makes up for a certificate's short life.
func (t *Trust) certificateRules(c *candidate) []verify.VerifierOption {
	var rules []verify.VerifierOption
	if !t.rules.NoSCT {
		rules = append(rules, verify.WithSignedCertificateTimestamps(1))
	}
	if t.logged(true) {
		rules = append(rules, verify.WithTransparencyLog(1))
	}
	stamps, _ := c.bundle.Timestamps() // malformed ones are found when they are verified
	switch {
	case t.rules.Timestamp:
		return append(rules, verify.WithSignedTimestamps(1))
	case t.logged(true), len(stamps) > 0:
		return append(rules, verify.WithObserverTimestamps(1))
	}
	return append(rules, verify.WithCurrentTime())
}

func (t *Trust) byKey(subject v1.Hash, c *candidate) (outcome, error) {
	if len(t.keys) == 0 {
		return outcome{}, reject(NoKeyTrusted, "a key signed it, and only identities are trusted")
	}
	var rules []verify.VerifierOption
	if t.logged(false) {
		rules = append(rules, verify.WithTransparencyLog(1))
	}
	if t.rules.Timestamp {
		rules = append(rules, verify.WithSignedTimestamps(1))
	} else {
		rules = append(rules, verify.WithNoObserverTimestamps())
	}
	var first error
	for _, key := range t.candidates(c.keyHint()) {
		for _, scheme := range key.schemes {
			v, err := t.verification(subject, c, keyed{t.authority, scheme}, rules)
			if err != nil {
				return outcome{}, err
			}
			result, err := v.run(verify.WithKey())
			if err == nil {
				return outcome{by: Who{Key: key.fingerprint}, when: t.whenLogged(c, v.trusted, result)}, nil
			}
			if first == nil {
				first = err
			}
		}
	}
	return outcome{}, first
}

// candidates are the keys to try, the one that a bundle names first.
func (t *Trust) candidates(hint string) []trustedKey {
	for i, key := range t.keys {
		if key.hint == hint {
			return append([]trustedKey{key}, append(t.keys[:i:i], t.keys[i+1:]...)...)
		}
	}
	return t.keys
}

// whenLogged returns the time of a key's signature, where a log or an
// authority was asked for.
func (t *Trust) whenLogged(c *candidate, trusted root.TrustedMaterial, result *verify.VerificationResult) time.Time {
	when := earliest(result.VerifiedTimestamps)
	if !when.IsZero() || !t.logged(false) {
		return when
	}
	logged, err := verify.VerifyTlogEntry(c.bundle, trusted, 1, true)
	switch {
	case err != nil:
		return time.Time{}
	case len(logged) > 0:
		return logged[0].Time
	}
	// A log of version 2 knows no time.
	stamps, _, err := verify.VerifySignedTimestamp(c.bundle, trusted)
	if err != nil || len(stamps) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(stamps, func(a, b *root.Timestamp) int { return a.Time.Compare(b.Time) }).Time
}

func earliest(stamps []verify.TimestampVerificationResult) time.Time {
	var when time.Time
	for _, stamp := range stamps {
		if stamp.Type != "CurrentTime" && (when.IsZero() || stamp.Timestamp.Before(when)) {
			when = stamp.Timestamp
		}
	}
	return when
}

// artifact is what the signature has to be about: the payload of a legacy
// signature, of which checkPayload tells what it is about, or the subject itself.
func (c *candidate) artifact(subject v1.Hash) (verify.ArtifactPolicyOption, error) {
	if c.payload != nil {
		return verify.WithArtifact(bytes.NewReader(c.payload)), nil
	}
	digest, err := hex.DecodeString(subject.Hex)
	if err != nil {
		return nil, err
	}
	return verify.WithArtifactDigest(subject.Algorithm, digest), nil
}

// checkPayload checks that the payload of a legacy signature, which is verified, is
// about subject (containers/image, containers-signature.5).
func checkPayload(signed []byte, subject v1.Hash) error {
	var image payload.SimpleContainerImage
	if err := json.Unmarshal(signed, &image); err != nil {
		return reject(Malformed, "its payload: %w", err)
	}
	if image.Critical.Type != payload.CosignSignatureType {
		return reject(Malformed, "its payload is of type %q", image.Critical.Type)
	}
	if got := image.Critical.Image.DockerManifestDigest; got != subject.String() {
		return reject(OtherSubject, "it signs %s, not %s", got, subject)
	}
	return nil
}

// readStatement takes the statement out of a bundle that is verified.
func (o *outcome) readStatement(c *candidate) error {
	envelope, err := c.bundle.Envelope()
	if err != nil {
		return reject(Malformed, "it holds no statement")
	}
	o.statement, err = envelope.DecodeB64Payload()
	if err != nil {
		return reject(Malformed, "its statement: %w", err)
	}
	var head struct {
		PredicateType string `json:"predicateType"`
	}
	if err := json.Unmarshal(o.statement, &head); err != nil {
		return reject(Malformed, "its statement: %w", err)
	}
	if head.PredicateType == "" {
		return reject(Malformed, "its statement has no predicate type")
	}
	o.predicate = head.PredicateType
	return nil
}

// stampsOf verifies timestamps over what cosign has stamped for a legacy
// attestation: the whole envelope, in which the signature is, instead of the
// signature.
type stampsOf struct {
	root.TrustedMaterial
	stamped []byte
}

// TimestampingAuthorities implements root.TrustedMaterial.
func (s stampsOf) TimestampingAuthorities() []root.TimestampingAuthority {
	var all []root.TimestampingAuthority
	for _, authority := range s.TrustedMaterial.TimestampingAuthorities() {
		all = append(all, stampOf{authority, s.stamped})
	}
	return all
}

type stampOf struct {
	root.TimestampingAuthority
	stamped []byte
}

// Verify implements root.TimestampingAuthority.
func (s stampOf) Verify(stamp, _ []byte) (*root.Timestamp, error) {
	return s.TimestampingAuthority.Verify(stamp, s.stamped)
}
