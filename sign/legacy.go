package sign

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	cbundle "github.com/sigstore/cosign/v2/pkg/cosign/bundle"
	"github.com/sigstore/cosign/v2/pkg/oci"
	"github.com/sigstore/cosign/v2/pkg/oci/static"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature/payload"
)

// envelopeType is the media type of the layers of legacy attestations (cosign's
// specs/ATTESTATION_SPEC.md).
const envelopeType = types.MediaType("application/vnd.dsse.envelope.v1+json")

// predicateTypeAnnotation has the predicate type of a legacy attestation.
const predicateTypeAnnotation = "predicateType"

// maxLayers is the number of signatures that cosign reads from one image.
const maxLayers = 1000

// simpleSigning returns the payload of a legacy signature of s
// (containers-signature(5)).
func simpleSigning(s Subject) ([]byte, error) {
	return json.Marshal(payload.SimpleContainerImage{Critical: payload.Critical{
		Identity: payload.Identity{DockerReference: s.Repository},
		Image:    payload.Image{DockerManifestDigest: s.Digest.String()},
		Type:     payload.CosignSignatureType,
	}})
}

// layerOptions returns the annotations of a layer for b: the certificate chain, the
// first log entry and the first timestamp.
func (m *material) layerOptions(b *protobundle.Bundle, timestamps [][]byte) ([]static.Option, error) {
	var options []static.Option
	if m.certs != nil {
		leaf, err := cryptoutils.MarshalCertificateToPEM(m.certs.leaf)
		if err != nil {
			return nil, err
		}
		chain, err := cryptoutils.MarshalCertificatesToPEM(m.certs.chain)
		if err != nil {
			return nil, err
		}
		options = append(options, static.WithCertChain(leaf, chain))
	}
	if entries := b.GetVerificationMaterial().GetTlogEntries(); len(entries) > 0 {
		options = append(options, static.WithBundle(rekorBundle(entries[0])))
	}
	if len(timestamps) > 0 {
		options = append(options, static.WithRFC3161Timestamp(cbundle.TimestampToRFC3161Timestamp(timestamps[0])))
	}
	return options, nil
}

// rekorBundle converts a log entry to the legacy format of cosign, which has the
// signed entry timestamp of the log. logEntry is the inverse.
func rekorBundle(e *protorekor.TransparencyLogEntry) *cbundle.RekorBundle {
	return &cbundle.RekorBundle{
		SignedEntryTimestamp: e.GetInclusionPromise().GetSignedEntryTimestamp(),
		Payload: cbundle.RekorPayload{
			Body:           base64.StdEncoding.EncodeToString(e.GetCanonicalizedBody()),
			IntegratedTime: e.GetIntegratedTime(), LogIndex: e.GetLogIndex(), LogID: hex.EncodeToString(e.GetLogId().GetKeyId()),
		},
	}
}

// signatureLayer returns a layer of sha256-<hex>.sig.
func (m *material) signatureLayer(payload []byte, b *protobundle.Bundle, timestamps [][]byte) (oci.Signature, error) {
	options, err := m.layerOptions(b, timestamps)
	if err != nil {
		return nil, err
	}
	return static.NewSignature(payload, base64.StdEncoding.EncodeToString(b.GetMessageSignature().GetSignature()), options...)
}

// attestationLayer returns a layer of sha256-<hex>.att with the envelope of b.
func (m *material) attestationLayer(b *protobundle.Bundle, envelope []byte, predicateType string, timestamps [][]byte) (oci.Signature, error) {
	options, err := m.layerOptions(b, timestamps)
	if err != nil {
		return nil, err
	}
	options = append([]static.Option{
		static.WithLayerMediaType(envelopeType),
		static.WithAnnotations(map[string]string{predicateTypeAnnotation: predicateType}),
	}, options...)
	return static.NewAttestation(envelope, options...)
}

// addenda returns the layers of a legacy image, which may be nil.
func addenda(img v1.Image) ([]mutate.Addendum, error) {
	if img == nil {
		return nil, nil
	}
	manifest, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Layers) > maxLayers {
		return nil, fmt.Errorf("%d layers, more than the %d that cosign reads", len(manifest.Layers), maxLayers)
	}
	out := make([]mutate.Addendum, len(manifest.Layers))
	for i, d := range manifest.Layers {
		layer, err := img.LayerByDigest(d.Digest)
		if err != nil {
			return nil, err
		}
		out[i] = mutate.Addendum{Layer: layer, Annotations: d.Annotations, MediaType: d.MediaType}
	}
	return out, nil
}

// appendLayers appends to the image existing the layers of add that are not in have,
// the layers of existing.
func appendLayers(existing v1.Image, have, add []mutate.Addendum) (v1.Image, error) {
	var missing []mutate.Addendum
	for _, a := range add {
		known, err := contains(append(have, missing...), a)
		if err != nil {
			return nil, err
		}
		if !known {
			missing = append(missing, a)
		}
	}
	if len(have)+len(missing) > maxLayers {
		return nil, fmt.Errorf("merging signatures: %d layers, more than the %d that cosign reads", len(have)+len(missing), maxLayers)
	}
	base := existing
	if base == nil {
		base = mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	}
	img, err := mutate.Append(base, missing...)
	if err != nil {
		return nil, fmt.Errorf("merging signatures: %w", err)
	}
	return img, nil
}

// contains reports whether layers has a layer with the digest and annotations of a.
func contains(layers []mutate.Addendum, a mutate.Addendum) (bool, error) {
	want, err := a.Layer.Digest()
	if err != nil {
		return false, err
	}
	for _, l := range layers {
		got, err := l.Layer.Digest()
		if err != nil {
			return false, err
		}
		if got == want && maps.Equal(l.Annotations, a.Annotations) {
			return true, nil
		}
	}
	return false, nil
}

// addendum converts a layer of cosign's library.
func addendum(layer oci.Signature) (mutate.Addendum, error) {
	annotations, err := layer.Annotations()
	if err != nil {
		return mutate.Addendum{}, err
	}
	mediaType, err := layer.MediaType()
	return mutate.Addendum{Layer: layer, Annotations: annotations, MediaType: mediaType}, err
}
