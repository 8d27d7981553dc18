package sign

import (
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// The library says no in words. What follows takes its verification apart, in
// its order, to find the step that failed: it chooses words for a no and can
// make no yes of it.

// whyNotKey explains why a key's signature was refused.
func (t *Trust) whyNotKey(subject v1.Hash, c *candidate, trusted root.TrustedMaterial, hint string, said error) error {
	if err := t.whyNotLogged(c, trusted, t.logged(false)); err != nil {
		return err
	}
	if err := t.whyNotStamped(c, trusted); err != nil {
		return err
	}
	if t.signatureFits(c, trusted) {
		return whyNotSubject(subject, c, said)
	}
	for _, key := range t.keys {
		if hint == key.hint {
			return reject(BadSignature, "it says that key %s made it, and it was changed since", key.fingerprint)
		}
	}
	if hint != "" {
		return reject(WrongKey, "it says that another key made it (%s), not %s", hint, t.keyNames())
	}
	return reject(BadSignature, "another key than %s made it, or what it signs was changed", t.keyNames())
}

func (t *Trust) keyNames() string {
	names := t.keys[0].fingerprint
	for _, key := range t.keys[1:] {
		names += ", " + key.fingerprint
	}
	return names
}

// whyNot explains why a certified signature was refused.
func (t *Trust) whyNot(subject v1.Hash, c *candidate, trusted root.TrustedMaterial, said error) error {
	if err := t.whyNotLogged(c, trusted, t.logged(true)); err != nil {
		return err
	}
	if err := t.whyNotStamped(c, trusted); err != nil {
		return err
	}
	if err := t.whyNotCertified(c, trusted); err != nil {
		return err
	}
	if !t.signatureFits(c, trusted) {
		return reject(BadSignature, "it was changed since %s signed it", signerOf(c))
	}
	if err := whyNotSubject(subject, c, nil); err != nil {
		return err
	}
	return t.whyNotThey(c, said)
}

// whyNotLogged explains what is wrong with the log entry.
func (t *Trust) whyNotLogged(c *candidate, trusted root.TrustedMaterial, required bool) error {
	if !required {
		return nil
	}
	entries, err := c.bundle.TlogEntries()
	switch {
	case err != nil:
		return reject(LogMismatch, "its log entry: %w", err)
	case len(entries) == 0:
		return reject(NotLogged, "it has no entry of a transparency log")
	}
	content, err := c.bundle.VerificationContent()
	if err != nil {
		return reject(Malformed, "%w", err)
	}
	for _, e := range entries {
		leaf, at := content.Certificate(), e.IntegratedTime()
		if leaf != nil && !at.IsZero() && (at.Before(leaf.NotBefore) || at.After(leaf.NotAfter)) {
			return reject(Expired, "its certificate was valid from %s to %s, and it was logged at %s", stamp(leaf.NotBefore), stamp(leaf.NotAfter), stamp(at))
		}
	}
	if !slices.ContainsFunc(entries, func(e *tlog.Entry) bool { return trusted.RekorLogs()[hex.EncodeToString([]byte(e.LogKeyID()))] != nil }) {
		return reject(LogMismatch, "its entry is of a log that is not trusted (%x)", entries[0].LogKeyID())
	}
	if _, err := verify.VerifyTlogEntry(c.bundle, trusted, 1, true); err != nil {
		return reject(LogMismatch, "its log entry: %w", err)
	}
	return nil
}

// whyNotStamped explains what is wrong with the timestamps, where one is
// needed.
func (t *Trust) whyNotStamped(c *candidate, trusted root.TrustedMaterial) error {
	if !t.rules.Timestamp {
		return nil
	}
	stamps, err := c.bundle.Timestamps()
	switch {
	case err != nil:
		return reject(BadTimestamp, "%w", err)
	case len(stamps) == 0:
		return reject(NoTime, "it has no timestamp")
	}
	if _, err := verify.VerifySignedTimestampWithThreshold(c.bundle, trusted, 1); err != nil {
		return badTimestamp(trusted, err)
	}
	return nil
}

func badTimestamp(trusted root.TrustedMaterial, err error) error {
	if len(trusted.TimestampingAuthorities()) == 0 {
		return reject(BadTimestamp, "no timestamp authority is trusted")
	}
	return reject(BadTimestamp, "its timestamp: %w", err)
}

// whyNotCertified explains what is wrong with the certificate, or with the
// time that it is judged at.
func (t *Trust) whyNotCertified(c *candidate, trusted root.TrustedMaterial) error {
	content, err := c.bundle.VerificationContent()
	if err != nil {
		return reject(Malformed, "%w", err)
	}
	leaf := content.Certificate()
	if _, err := verify.VerifyLeafCertificate(leaf.NotBefore, leaf, trusted); err != nil {
		return reject(UntrustedAuthority, "its certificate was issued by %s, which is not trusted", leaf.Issuer)
	}
	times, err := t.times(c, trusted)
	if err != nil {
		return err
	}
	for _, at := range times {
		chains, err := verify.VerifyLeafCertificate(at, leaf, trusted)
		if err != nil {
			return reject(Expired, "its certificate was valid from %s to %s, and it is judged at %s", stamp(leaf.NotBefore), stamp(leaf.NotAfter), stamp(at))
		}
		if t.rules.NoSCT {
			continue
		}
		if err := verify.VerifySignedCertificateTimestamp(chains, 1, trusted); err != nil {
			return reject(NoSCT, "its certificate: %w", err)
		}
	}
	return nil
}

// signatureFits tells whether the signature is one of what it signs, whatever
// that is about.
func (t *Trust) signatureFits(c *candidate, trusted root.TrustedMaterial) bool {
	what, err := c.bundle.SignatureContent()
	if err != nil {
		return false
	}
	content, err := c.bundle.VerificationContent()
	if err != nil {
		return false
	}
	if c.payload != nil {
		return verify.VerifySignatureWithArtifacts(what, content, trusted, c.readers()) == nil
	}
	return verify.VerifySignature(what, content, trusted) == nil
}

// whyNotSubject explains what a good signature is about; said is the library's
// word for the rest.
func whyNotSubject(subject v1.Hash, c *candidate, said error) error {
	if c.payload != nil {
		return said
	}
	envelope, err := c.bundle.Envelope()
	if err != nil {
		return reject(Malformed, "it holds no statement")
	}
	statement, err := envelope.Statement()
	if err != nil {
		return reject(Malformed, "its statement: %w", err)
	}
	var about []string
	for _, s := range statement.GetSubject() {
		for _, algorithm := range slices.Sorted(maps.Keys(s.GetDigest())) {
			about = append(about, algorithm+":"+s.GetDigest()[algorithm])
		}
	}
	switch {
	case slices.Contains(about, subject.String()):
		return said
	case len(about) == 0:
		return reject(OtherSubject, "it is about nothing")
	}
	return reject(OtherSubject, "it is about %s, not %s", strings.Join(about, ", "), subject)
}

// whyNotThey explains whose identity is in the certificate.
func (t *Trust) whyNotThey(c *candidate, said error) error {
	summary, err := summarize(c)
	if err != nil {
		return reject(Malformed, "its certificate: %w", err)
	}
	reason := WrongIssuer
	for _, wanted := range t.identities {
		if wanted.Issuer.Verify(summary) != nil {
			continue
		}
		if wanted.SubjectAlternativeName.Verify(summary) == nil {
			return reject(Unverified, "%w", said)
		}
		reason = WrongIdentity
	}
	return reject(reason, "%s of %s signed it, not %s", summary.SubjectAlternativeName, summary.Issuer, t.identityNames())
}

func (t *Trust) identityNames() string {
	names := t.rules.Identities[0].String()
	for _, identity := range t.rules.Identities[1:] {
		names += ", " + identity.String()
	}
	return names
}

func summarize(c *candidate) (certificate.Summary, error) {
	content, err := c.bundle.VerificationContent()
	if err != nil {
		return certificate.Summary{}, err
	}
	if content.Certificate() == nil {
		return certificate.Summary{}, errors.New("missing")
	}
	return certificate.SummarizeCertificate(content.Certificate())
}

// signerOf names who a certificate says signed, trusted or not.
func signerOf(c *candidate) string {
	summary, err := summarize(c)
	if err != nil {
		return "somebody"
	}
	return Who{Identity: summary.SubjectAlternativeName, Issuer: summary.Issuer}.String()
}
