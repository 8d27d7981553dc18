package sign

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	sigsign "github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Annotations of a bundle's manifest, as cosign 3 writes them. Its time of
// creation is left out: nothing reads it, and it would change the digest.
const (
	contentAnnotation   = "dev.sigstore.bundle.content"
	predicateAnnotation = "dev.sigstore.bundle.predicateType"
	bundleContent       = "dsse-envelope"
)

// bundle signs content and enters the signature into the logs.
func (s *Signer) bundle(ctx context.Context, m *material, content sigsign.Content) (*protobundle.Bundle, error) {
	o := sigsign.BundleOptions{Context: ctx}
	for _, log := range s.logs {
		o.TransparencyLogs = append(o.TransparencyLogs, log)
	}
	if m.certified != nil {
		o.CertificateProvider = m.certified
	}
	return sigsign.Bundle(content, m, o)
}

// encodeBundle returns b with timestamps of its signature as JSON.
func encodeBundle(b *protobundle.Bundle, timestamps [][]byte) ([]byte, error) {
	b = proto.CloneOf(b)
	for _, t := range timestamps {
		material := b.GetVerificationMaterial()
		if material.TimestampVerificationData == nil {
			material.TimestampVerificationData = &protobundle.TimestampVerificationData{}
		}
		material.TimestampVerificationData.Rfc3161Timestamps = append(material.TimestampVerificationData.Rfc3161Timestamps,
			&protocommon.RFC3161SignedTimestamp{SignedTimestamp: t})
	}
	text, err := protojson.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("encoding a bundle: %w", err)
	}
	// protojson varies its white space between builds.
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		return nil, fmt.Errorf("encoding a bundle: %w", err)
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
