package sign

import (
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// verification is one verification of a candidate by sigstore-go.
type verification struct {
	trust    *Trust
	subject  v1.Hash
	c        *candidate
	trusted  root.TrustedMaterial
	verifier *verify.Verifier
}

func (t *Trust) verification(subject v1.Hash, c *candidate, trusted root.TrustedMaterial, rules []verify.VerifierOption) (*verification, error) {
	if c.timestamped != nil {
		trusted = timestampedContent{trusted, c.timestamped}
	}
	verifier, err := verify.NewVerifier(trusted, rules...)
	return &verification{t, subject, c, trusted, verifier}, err
}

// run returns the result of sigstore-go, or the reason for a refusal.
func (v *verification) run(policy ...verify.PolicyOption) (*verify.VerificationResult, error) {
	artifact, err := v.c.artifact(v.subject)
	if err != nil {
		return nil, err
	}
	result, err := v.verifier.Verify(v.c.bundle, verify.NewPolicy(artifact, policy...))
	if err != nil {
		return nil, v.explain(err)
	}
	return result, nil
}

// explain adds a Reason to an error of sigstore-go. The library wraps the error
// of each step in the text below and exports no type for it; the tests of each
// reason fail when a text changes.
func (v *verification) explain(err error) error {
	cause := errors.Unwrap(err)
	if cause == nil {
		return reject(Unverified, "%w", err)
	}
	switch strings.TrimSuffix(err.Error(), ": "+cause.Error()) {
	case "failed to verify log inclusion":
		return v.explainLog(cause)
	case "failed to verify timestamps":
		return v.explainTime(cause)
	case "failed to verify leaf certificate":
		return v.explainCertificate()
	case "failed to verify signed certificate timestamp":
		return reject(NoSCT, "signed certificate timestamp: %w", cause)
	case "failed to verify signature":
		return v.explainSignature(cause)
	case "failed to verify certificate identity":
		return v.explainIdentity(cause)
	}
	return reject(Unverified, "%w", err)
}

func (v *verification) explainLog(cause error) error {
	entries, err := v.c.bundle.TlogEntries()
	switch {
	case err != nil:
		return reject(LogMismatch, "log entry: %w", err)
	case len(entries) == 0:
		return reject(NotLogged, "no entry in a transparency log")
	}
	if leaf := v.c.certificate(); leaf != nil {
		for _, e := range entries {
			if at := e.IntegratedTime(); !at.IsZero() && (at.Before(leaf.NotBefore) || at.After(leaf.NotAfter)) {
				return reject(Expired, "the certificate was valid from %s to %s, but the signature was logged at %s", stamp(leaf.NotBefore), stamp(leaf.NotAfter), stamp(at))
			}
		}
	}
	if !slices.ContainsFunc(entries, func(e *tlog.Entry) bool {
		return v.trusted.RekorLogs()[hex.EncodeToString([]byte(e.LogKeyID()))] != nil
	}) {
		return reject(LogMismatch, "the entry is in a log that is not trusted (%x)", entries[0].LogKeyID())
	}
	return reject(LogMismatch, "log entry: %w", cause)
}

func (v *verification) explainTime(cause error) error {
	timestamps, err := v.c.bundle.Timestamps()
	switch {
	case err != nil:
		return reject(BadTimestamp, "timestamp: %w", err)
	case len(timestamps) > 0 && len(v.trusted.TimestampingAuthorities()) == 0:
		return reject(BadTimestamp, "no timestamp authority is trusted")
	case len(timestamps) > 0:
		return reject(BadTimestamp, "timestamp: %w", cause)
	case v.trust.rules.Timestamp:
		return reject(NoTime, "no timestamp")
	}
	return reject(NoTime, "neither a log entry nor a timestamp proves the time of the signature")
}

// explainCertificate distinguishes a certificate of an unknown authority from
// one that was not valid when it signed.
func (v *verification) explainCertificate() error {
	leaf := v.c.certificate()
	if _, err := verify.VerifyLeafCertificate(leaf.NotBefore, leaf, v.trusted); err != nil {
		return reject(UntrustedAuthority, "the certificate was issued by %s, which is not trusted", leaf.Issuer)
	}
	logged, err := v.verifier.VerifyTransparencyLogInclusion(v.c.bundle)
	if err != nil {
		return reject(Expired, "%w", err)
	}
	times, err := v.verifier.VerifyObserverTimestamps(v.c.bundle, logged)
	if err != nil {
		return reject(Expired, "%w", err)
	}
	var at []string
	for _, t := range times {
		at = append(at, stamp(t.Timestamp))
	}
	return reject(Expired, "the certificate was valid from %s to %s, but it was used at %s", stamp(leaf.NotBefore), stamp(leaf.NotAfter), strings.Join(at, " and "))
}

// explainSignature distinguishes a signature of other bytes from a statement with
// another subject.
func (v *verification) explainSignature(cause error) error {
	text := cause.Error()
	switch {
	case errors.Is(cause, verify.ErrDSSEInvalidSignatureCount):
		return reject(Malformed, "%w", cause)
	case !strings.HasPrefix(text, "could not verify envelope: ") && !strings.HasPrefix(text, "could not verify message: "):
		return v.explainSubject(cause)
	case v.c.certificate() != nil:
		return reject(BadSignature, "verification with the certificate of %s failed", signerOf(v.c))
	}
	hint := v.c.keyHint()
	for _, key := range v.trust.keys {
		if hint == key.hint {
			return reject(BadSignature, "the bundle names key %s, but verification with it failed", key.fingerprint)
		}
	}
	if hint != "" {
		return reject(WrongKey, "the bundle names another key (%s), want %s", hint, v.trust.keyNames())
	}
	return reject(BadSignature, "verification with %s failed: signed with another key, or the content was changed", v.trust.keyNames())
}

func (v *verification) explainSubject(cause error) error {
	envelope, err := v.c.bundle.Envelope()
	if err != nil {
		return reject(Malformed, "no statement")
	}
	statement, err := envelope.Statement()
	if err != nil {
		return reject(Malformed, "statement: %w", err)
	}
	var about []string
	for _, s := range statement.GetSubject() {
		for _, algorithm := range slices.Sorted(maps.Keys(s.GetDigest())) {
			about = append(about, algorithm+":"+s.GetDigest()[algorithm])
		}
	}
	switch {
	case slices.Contains(about, v.subject.String()):
		return reject(Unverified, "%w", cause)
	case len(about) == 0:
		return reject(OtherSubject, "the statement has no subject")
	}
	return reject(OtherSubject, "the subject is %s, want %s", strings.Join(about, ", "), v.subject)
}

func (v *verification) explainIdentity(cause error) error {
	summary, err := summarize(v.c)
	if err != nil {
		return reject(Malformed, "certificate: %w", err)
	}
	reason := WrongIssuer
	for _, wanted := range v.trust.identities {
		if wanted.Issuer.Verify(summary) != nil {
			continue
		}
		if wanted.SubjectAlternativeName.Verify(summary) == nil {
			return reject(Unverified, "%w", cause)
		}
		reason = WrongIdentity
	}
	return reject(reason, "signed by %s of %s, want %s", summary.SubjectAlternativeName, summary.Issuer, v.trust.identityNames())
}

func (t *Trust) keyNames() string {
	var names []string
	for _, key := range t.keys {
		names = append(names, key.fingerprint)
	}
	return strings.Join(names, ", ")
}

func (t *Trust) identityNames() string {
	var names []string
	for _, identity := range t.rules.Identities {
		names = append(names, identity.String())
	}
	return strings.Join(names, ", ")
}

func summarize(c *candidate) (certificate.Summary, error) {
	leaf := c.certificate()
	if leaf == nil {
		return certificate.Summary{}, errors.New("missing")
	}
	return certificate.SummarizeCertificate(leaf)
}

// signerOf returns the name in a certificate, trusted or not.
func signerOf(c *candidate) string {
	summary, err := summarize(c)
	if err != nil {
		return "an unknown identity"
	}
	return Who{Identity: summary.SubjectAlternativeName, Issuer: summary.Issuer}.String()
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
