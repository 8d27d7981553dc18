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

// candidate is a parsed signature or attestation. Legacy ones are converted to
// bundles, so that sigstore-go verifies all of them.
type candidate struct {
	bundle *bundle.Bundle
	// payload is the signed content of a legacy signature; nil for statements.
	payload []byte
	// timestamped is the content that the timestamps of a legacy attestation cover;
	// nil if they cover the signature.
	timestamped []byte
}

// certificate returns the certificate of the signer, or nil for a key.
func (c *candidate) certificate() *x509.Certificate {
	content, err := c.bundle.VerificationContent()
	if err != nil {
		return nil
	}
	return content.Certificate()
}

// keyHint returns the identifier of the key in the bundle, or "".
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

// verify verifies c with sigstore-go, and checks that the signed content describes
// subject.
func (t *Trust) verify(subject v1.Hash, c *candidate) (evaluation, error) {
	if _, err := c.bundle.VerificationContent(); err != nil {
		return evaluation{}, reject(Malformed, "%w", err)
	}
	certified := c.certificate() != nil
	var o evaluation
	var err error
	if certified {
		o, err = t.byIdentity(subject, c)
	} else {
		o, err = t.byKey(subject, c)
	}
	if err == nil && t.needsLog(certified) {
		err = c.checkLogEntries()
	}
	if err == nil && time.Until(o.when) > maxClockSkew {
		err = reject(Future, "signed at %s", stamp(o.when))
	}
	if err != nil {
		return evaluation{}, err
	}
	if c.payload != nil {
		o.predicate = PredicateSignature
		return o, checkPayload(c.payload, subject)
	}
	return o, o.readStatement(c)
}

func (t *Trust) byIdentity(subject v1.Hash, c *candidate) (evaluation, error) {
	if len(t.identities) == 0 {
		return evaluation{}, reject(NoIdentityTrusted, "signed by %s, but only keys are trusted", signerOf(c))
	}
	policy := make([]verify.PolicyOption, len(t.identities))
	for i, identity := range t.identities {
		policy[i] = verify.WithCertificateIdentity(identity)
	}
	v, err := t.verification(subject, c, t.authority, t.certificateRules(c))
	if err != nil {
		return evaluation{}, err
	}
	result, err := v.run(policy...)
	if err != nil {
		return evaluation{}, err
	}
	by := Who{Identity: result.Signature.Certificate.SubjectAlternativeName, Issuer: result.Signature.Certificate.Issuer}
	return evaluation{by: by, when: earliest(result.VerifiedTimestamps)}, nil
}

// certificateRules returns the required proofs of the time at which a certificate
// was used.
func (t *Trust) certificateRules(c *candidate) []verify.VerifierOption {
	var rules []verify.VerifierOption
	if !t.rules.NoSCT {
		rules = append(rules, verify.WithSignedCertificateTimestamps(1))
	}
	if t.needsLog(true) {
		rules = append(rules, verify.WithTransparencyLog(1))
	}
	timestamps, _ := c.bundle.Timestamps() // verification reports malformed ones
	switch {
	case t.rules.Timestamp:
		return append(rules, verify.WithSignedTimestamps(1))
	case t.needsLog(true), len(timestamps) > 0:
		return append(rules, verify.WithObserverTimestamps(1))
	}
	return append(rules, verify.WithCurrentTime())
}

func (t *Trust) byKey(subject v1.Hash, c *candidate) (evaluation, error) {
	if len(t.keys) == 0 {
		return evaluation{}, reject(NoKeyTrusted, "signed with a key, but only identities are trusted")
	}
	var rules []verify.VerifierOption
	if t.needsLog(false) {
		rules = append(rules, verify.WithTransparencyLog(1))
	}
	if t.rules.Timestamp {
		rules = append(rules, verify.WithSignedTimestamps(1))
	} else {
		rules = append(rules, verify.WithNoObserverTimestamps())
	}
	var first error
	for _, key := range t.keysFor(c.keyHint()) {
		for _, scheme := range key.schemes {
			v, err := t.verification(subject, c, singleKey{t.authority, scheme}, rules)
			if err != nil {
				return evaluation{}, err
			}
			result, err := v.run(verify.WithKey())
			if err == nil {
				return evaluation{by: Who{Key: key.fingerprint}, when: t.keyTime(c, v.trusted, result)}, nil
			}
			if first == nil {
				first = err
			}
		}
	}
	return evaluation{}, first
}

// keysFor returns all trusted keys, that with the hint first.
func (t *Trust) keysFor(hint string) []trustedKey {
	for i, key := range t.keys {
		if key.hint == hint {
			return append([]trustedKey{key}, append(t.keys[:i:i], t.keys[i+1:]...)...)
		}
	}
	return t.keys
}

// keyTime returns the time of a signature with a key if a log entry or timestamp is
// required.
func (t *Trust) keyTime(c *candidate, trusted root.TrustedMaterial, result *verify.VerificationResult) time.Time {
	when := earliest(result.VerifiedTimestamps)
	if !when.IsZero() || !t.needsLog(false) {
		return when
	}
	logged, err := verify.VerifyTlogEntry(c.bundle, trusted, 1, true)
	switch {
	case err != nil:
		return time.Time{}
	case len(logged) > 0:
		return logged[0].Time
	}
	// Entries of a log of version 2 have no time.
	timestamps, _, err := verify.VerifySignedTimestamp(c.bundle, trusted)
	if err != nil || len(timestamps) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(timestamps, func(a, b *root.Timestamp) int { return a.Time.Compare(b.Time) }).Time
}

// earliest returns the earliest time of a log or timestamp authority.
func earliest(timestamps []verify.TimestampVerificationResult) time.Time {
	var when time.Time
	for _, t := range timestamps {
		if t.Type != "CurrentTime" && (when.IsZero() || t.Timestamp.Before(when)) {
			when = t.Timestamp
		}
	}
	return when
}

// artifact returns the artifact that the signature must cover: the payload of a
// legacy signature, whose content checkPayload checks, or the subject itself.
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

// checkPayload checks that the verified payload of a legacy signature names subject
// (containers/image, containers-signature.5).
func checkPayload(signed []byte, subject v1.Hash) error {
	var image payload.SimpleContainerImage
	if err := json.Unmarshal(signed, &image); err != nil {
		return reject(Malformed, "payload: %w", err)
	}
	if image.Critical.Type != payload.CosignSignatureType {
		return reject(Malformed, "payload has type %q", image.Critical.Type)
	}
	if got := image.Critical.Image.DockerManifestDigest; got != subject.String() {
		return reject(OtherSubject, "signs %s, want %s", got, subject)
	}
	return nil
}

// readStatement sets the statement of a verified bundle.
func (o *evaluation) readStatement(c *candidate) error {
	envelope, err := c.bundle.Envelope()
	if err != nil {
		return reject(Malformed, "no statement")
	}
	o.statement, err = envelope.DecodeB64Payload()
	if err != nil {
		return reject(Malformed, "statement: %w", err)
	}
	var head struct {
		PredicateType string `json:"predicateType"`
	}
	if err := json.Unmarshal(o.statement, &head); err != nil {
		return reject(Malformed, "statement: %w", err)
	}
	if head.PredicateType == "" {
		return reject(Malformed, "the statement has no predicate type")
	}
	o.predicate = head.PredicateType
	return nil
}

// timestampedContent verifies timestamps of other content than the signature. For
// legacy attestations, cosign requests timestamps of the whole envelope.
type timestampedContent struct {
	root.TrustedMaterial
	content []byte
}

// TimestampingAuthorities implements root.TrustedMaterial.
func (s timestampedContent) TimestampingAuthorities() []root.TimestampingAuthority {
	var all []root.TimestampingAuthority
	for _, authority := range s.TrustedMaterial.TimestampingAuthorities() {
		all = append(all, contentAuthority{authority, s.content})
	}
	return all
}

type contentAuthority struct {
	root.TimestampingAuthority
	content []byte
}

// Verify implements root.TimestampingAuthority.
func (s contentAuthority) Verify(timestamp, _ []byte) (*root.Timestamp, error) {
	return s.TimestampingAuthority.Verify(timestamp, s.content)
}
