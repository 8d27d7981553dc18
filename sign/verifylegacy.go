package sign

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	cbundle "github.com/sigstore/cosign/v2/pkg/cosign/bundle"
	"github.com/sigstore/cosign/v2/pkg/oci/static"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
)

// legacyBundle is the bundle version that allows certificate chains, and log entries
// without an inclusion proof.
const legacyBundle = "application/vnd.dev.sigstore.bundle+json;version=0.1"

// readSignature reads a layer of a .sig image: the signed payload. The signature is
// in an annotation.
func readSignature(signed []byte, annotations map[string]string) (*candidate, error) {
	raw, err := base64.StdEncoding.DecodeString(annotations[static.SignatureAnnotationKey])
	switch {
	case err != nil:
		return nil, reject(Malformed, "signature: %w", err)
	case len(raw) == 0:
		return nil, reject(Malformed, "no signature")
	}
	sum := sha256.Sum256(signed)
	b, err := fromLegacy(annotations)
	if err != nil {
		return nil, err
	}
	b.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
		MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: sum[:]},
		Signature:     raw,
	}}
	return asCandidate(b, &candidate{payload: signed})
}

// readAttestation reads a layer of an .att image: a DSSE envelope.
func readAttestation(text []byte, annotations map[string]string) (*candidate, error) {
	var e dsse.Envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, reject(Malformed, "not a DSSE envelope: %w", err)
	}
	statement, err := e.DecodeB64Payload()
	if err != nil {
		return nil, reject(Malformed, "statement: %w", err)
	}
	content := &protodsse.Envelope{Payload: statement, PayloadType: e.PayloadType}
	for _, s := range e.Signatures {
		raw, err := base64.StdEncoding.DecodeString(s.Sig)
		if err != nil {
			return nil, reject(Malformed, "signature: %w", err)
		}
		content.Signatures = append(content.Signatures, &protodsse.Signature{Sig: raw, Keyid: s.KeyID})
	}
	if len(content.Signatures) == 0 {
		return nil, reject(Malformed, "no signature")
	}
	b, err := fromLegacy(annotations)
	if err != nil {
		return nil, err
	}
	b.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: content}
	return asCandidate(b, &candidate{timestamped: text})
}

// asCandidate validates b and sets it in c.
func asCandidate(b *protobundle.Bundle, c *candidate) (*candidate, error) {
	made, err := bundle.NewBundle(b)
	if err != nil {
		return nil, reject(Malformed, "%w", err)
	}
	c.bundle = made
	return c, nil
}

// fromLegacy returns a bundle with the certificate, log entry and timestamp in the
// annotations.
func fromLegacy(annotations map[string]string) (*protobundle.Bundle, error) {
	material := &protobundle.VerificationMaterial{
		Content: &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{}},
	}
	if text := annotations[static.CertificateAnnotationKey]; text != "" {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return nil, reject(Malformed, "the certificate is not in PEM form")
		}
		material.Content = &protobundle.VerificationMaterial_X509CertificateChain{X509CertificateChain: &protocommon.X509CertificateChain{
			Certificates: []*protocommon.X509Certificate{{RawBytes: block.Bytes}},
		}}
	}
	if text := annotations[static.BundleAnnotationKey]; text != "" {
		entry, err := logEntry(text)
		if err != nil {
			return nil, reject(LogMismatch, "log entry: %w", err)
		}
		material.TlogEntries = []*protorekor.TransparencyLogEntry{entry}
	}
	if text := annotations[static.RFC3161TimestampAnnotationKey]; text != "" {
		var timestamp cbundle.RFC3161Timestamp
		if err := json.Unmarshal([]byte(text), &timestamp); err != nil {
			return nil, reject(BadTimestamp, "timestamp: %w", err)
		}
		material.TimestampVerificationData = &protobundle.TimestampVerificationData{
			Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: timestamp.SignedRFC3161Timestamp}},
		}
	}
	return &protobundle.Bundle{MediaType: legacyBundle, VerificationMaterial: material}, nil
}

// logEntry converts a log entry from the legacy format of cosign. rekorBundle is the
// inverse.
func logEntry(text string) (*protorekor.TransparencyLogEntry, error) {
	var b cbundle.RekorBundle
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return nil, err
	}
	body, ok := b.Payload.Body.(string)
	if !ok {
		return nil, errors.New("no body")
	}
	canonical, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	id, err := hex.DecodeString(b.Payload.LogID)
	if err != nil {
		return nil, fmt.Errorf("log ID: %w", err)
	}
	if len(b.SignedEntryTimestamp) == 0 {
		return nil, errors.New("no signed entry timestamp")
	}
	var kind struct {
		Kind       string `json:"kind"`
		APIVersion string `json:"apiVersion"`
	}
	if err := json.Unmarshal(canonical, &kind); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return &protorekor.TransparencyLogEntry{
		LogIndex: b.Payload.LogIndex, LogId: &protocommon.LogId{KeyId: id}, IntegratedTime: b.Payload.IntegratedTime,
		KindVersion:       &protorekor.KindVersion{Kind: kind.Kind, Version: kind.APIVersion},
		InclusionPromise:  &protorekor.InclusionPromise{SignedEntryTimestamp: b.SignedEntryTimestamp},
		CanonicalizedBody: canonical,
	}, nil
}
