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

// Annotations of the manifest of a bundle, as cosign 3 writes them. The creation
// time is omitted: nothing reads it, and it would change the digest.
const (
	contentAnnotation   = "dev.sigstore.bundle.content"
	predicateAnnotation = "dev.sigstore.bundle.predicateType"
	bundleContent       = "dsse-envelope"
)

// bundle signs content and logs the signature in every log.
func (s *Signer) bundle(ctx context.Context, m *material, content sigsign.Content) (*protobundle.Bundle, error) {
	o := sigsign.BundleOptions{Context: ctx}
	for _, log := range s.logs {
		o.TransparencyLogs = append(o.TransparencyLogs, log)
	}
	if m.certs != nil {
		o.CertificateProvider = m.certs
	}
	return sigsign.Bundle(content, m, o)
}

// encodeBundle adds timestamps of the signature to b and encodes it as JSON.
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
	// The white space of protojson differs between builds.
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		return nil, fmt.Errorf("encoding a bundle: %w", err)
	}
	return out.Bytes(), nil
}

func newAttachment(content []byte, predicateType string, subject Subject) attachment {
	return attachment{
		subject: subject, content: content,
		annotations: map[string]string{contentAnnotation: bundleContent, predicateAnnotation: predicateType},
	}
}
