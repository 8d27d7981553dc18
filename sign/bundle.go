package sign

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// Annotations of a bundle's manifest, as cosign 3 writes them. Its time of
// creation is left out: nothing reads it, and it would change the digest.
const (
	contentAnnotation   = "dev.sigstore.bundle.content"
	predicateAnnotation = "dev.sigstore.bundle.predicateType"
	bundleContent       = "dsse-envelope"
)

// sealed is a signed statement with what a verifier wants to see of the rest
// of sigstore.
type sealed struct {
	payload, envelope, sig []byte
	// entries are those of the logs, one each.
	entries []*protorekor.TransparencyLogEntry
}

// bundle returns the sigstore bundle of e with the stamps of its signature.
func (m *material) bundle(e sealed, stamps [][]byte) ([]byte, error) {
	made := &protobundle.Bundle{
		MediaType:            MediaTypeBundle,
		VerificationMaterial: &protobundle.VerificationMaterial{TlogEntries: e.entries},
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
			Payload: e.payload, PayloadType: payloadType, Signatures: []*protodsse.Signature{{Sig: e.sig}},
		}},
	}
	proof := made.GetVerificationMaterial()
	if m.certified != nil {
		proof.Content = &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: m.certified.leaf.Raw}}
	} else {
		sum, err := keySum(m.public)
		if err != nil {
			return nil, fmt.Errorf("making a bundle: %w", err)
		}
		hint := base64.StdEncoding.EncodeToString(sum)
		proof.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: hint}}
	}
	for _, stamp := range stamps {
		if proof.TimestampVerificationData == nil {
			proof.TimestampVerificationData = &protobundle.TimestampVerificationData{}
		}
		proof.TimestampVerificationData.Rfc3161Timestamps = append(proof.TimestampVerificationData.Rfc3161Timestamps,
			&protocommon.RFC3161SignedTimestamp{SignedTimestamp: stamp})
	}
	text, err := protojson.Marshal(made)
	if err != nil {
		return nil, fmt.Errorf("making a bundle: %w", err)
	}
	// The encoder of protocol buffers varies its white space on purpose.
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		return nil, fmt.Errorf("making a bundle: %w", err)
	}
	return out.Bytes(), nil
}

func attach(content []byte, predicateType string, subject Subject) Attachment {
	return Attachment{
		Subject: subject, MediaType: MediaTypeBundle, Content: content,
		Annotations: map[string]string{contentAnnotation: bundleContent, predicateAnnotation: predicateType},
	}
}

// markOfBundle reads the bundle of a signed statement, in the version that is
// written here; ok is false for anything else.
func markOfBundle(text []byte) (s mark, ok bool) {
	var b protobundle.Bundle
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, &b); err != nil {
		return mark{}, false
	}
	e, proof := b.GetDsseEnvelope(), b.GetVerificationMaterial()
	if e.GetPayloadType() != payloadType || len(e.GetSignatures()) != 1 || b.GetMediaType() != MediaTypeBundle {
		return mark{}, false
	}
	return mark{
		message: preAuth(e.GetPayload()), payload: e.GetPayload(), sig: e.GetSignatures()[0].GetSig(),
		certificate: proof.GetCertificate().GetRawBytes(),
		logged:      len(proof.GetTlogEntries()) > 0,
		stamped:     len(proof.GetTimestampVerificationData().GetRfc3161Timestamps()) > 0,
	}, true
}
