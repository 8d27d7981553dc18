package sign

import (
	"bytes"
	"encoding/json"
	"fmt"

	cbundle "github.com/sigstore/cosign/v2/pkg/cosign/bundle"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/rekor/pkg/generated/models"
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
	entry                  *models.LogEntryAnon
}

// bundle returns the sigstore bundle of e. stamp may be nil.
func (m *material) bundle(e sealed, stamp []byte) ([]byte, error) {
	text, err := cbundle.MakeNewBundle(m.public, e.entry, e.payload, e.envelope, m.text, stamp)
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
