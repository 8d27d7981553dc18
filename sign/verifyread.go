package sign

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/oci"
)

// bundleType is the prefix of the media types of all bundle versions.
const bundleType = "application/vnd.dev.sigstore.bundle"

// findEvidence returns the evidence of subject without verifying it.
func findEvidence(subject v1.Hash, e oci.Set) []evidenceItem {
	var all []evidenceItem
	for _, img := range e.Referrers {
		if p, ok := readReferrer(subject, img); ok {
			all = append(all, p)
		}
	}
	for _, l := range []struct {
		tag  string
		read func([]byte, map[string]string) (*candidate, error)
	}{
		{oci.SignatureTag(subject), readSignature},
		{oci.AttestationTag(subject), readAttestation},
	} {
		if img := e.Legacy[l.tag]; img != nil {
			all = append(all, readLayers(img, l.read)...)
		}
	}
	return all
}

// evidenceManifest has the fields of a manifest that identify evidence.
type evidenceManifest struct {
	ArtifactType string `json:"artifactType"`
	Config       struct {
		MediaType string `json:"mediaType"`
	} `json:"config"`
	Layers  []v1.Descriptor `json:"layers"`
	Subject *v1.Descriptor  `json:"subject"`
}

func readManifest(img v1.Image) (evidenceManifest, v1.Hash, error) {
	var m evidenceManifest
	raw, err := img.RawManifest()
	if err != nil {
		return m, v1.Hash{}, reject(Unreadable, "manifest: %w", err)
	}
	digest := v1.Hash{Algorithm: "sha256", Hex: digest.SHA256(raw)}
	if len(raw) > maxManifest {
		return m, digest, reject(TooLarge, "the manifest has %d bytes, more than %d", len(raw), maxManifest)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, digest, reject(Malformed, "manifest: %w", err)
	}
	return m, digest, nil
}

// readReferrer returns the bundle in img. It returns false if img has another subject
// or is not a bundle.
func readReferrer(subject v1.Hash, img v1.Image) (evidenceItem, bool) {
	m, digest, err := readManifest(img)
	p := evidenceItem{format: FormatBundle, source: digest, read: func() (*candidate, error) { return nil, err }}
	switch {
	case err != nil:
		return p, true
	case m.Subject == nil || m.Subject.Digest != subject || !m.bundle():
		return evidenceItem{}, false
	case len(m.Layers) != 1:
		err = reject(Malformed, "%d layers, want 1", len(m.Layers))
		return p, true
	}
	p.read = func() (*candidate, error) {
		text, err := layerText(img, m.Layers[0])
		if err != nil {
			return nil, err
		}
		return openBundle(text)
	}
	return p, true
}

// bundle reports whether a referrer is a bundle by its artifact type, which some
// registries and libraries drop, or the media type of its layer.
func (m evidenceManifest) bundle() bool {
	for _, name := range []string{m.ArtifactType, m.Config.MediaType} {
		if strings.HasPrefix(name, bundleType) {
			return true
		}
	}
	return len(m.Layers) > 0 && strings.HasPrefix(string(m.Layers[0].MediaType), bundleType)
}

// readLayers returns an item for each layer of a legacy image.
func readLayers(img v1.Image, read func([]byte, map[string]string) (*candidate, error)) []evidenceItem {
	m, digest, err := readManifest(img)
	if err != nil {
		return []evidenceItem{{FormatLegacy, digest, func() (*candidate, error) { return nil, err }}}
	}
	all := make([]evidenceItem, len(m.Layers))
	for i, layer := range m.Layers {
		all[i] = evidenceItem{FormatLegacy, layer.Digest, func() (*candidate, error) {
			text, err := layerText(img, layer)
			if err != nil {
				return nil, err
			}
			return read(text, layer.Annotations)
		}}
	}
	return all
}

// layerText returns the bytes of a layer and checks them against the digest of the
// descriptor.
func layerText(img v1.Image, d v1.Descriptor) ([]byte, error) {
	if d.Size > maxPayload {
		return nil, reject(TooLarge, "%d bytes, more than %d", d.Size, maxPayload)
	}
	layer, err := img.LayerByDigest(d.Digest)
	if err != nil {
		return nil, reject(Unreadable, "%w", err)
	}
	r, err := layer.Compressed() // the stored bytes, which are not compressed
	if err != nil {
		return nil, reject(Unreadable, "%w", err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxPayload+1))
	got := v1.Hash{Algorithm: "sha256", Hex: digest.SHA256(text)}
	switch {
	case len(text) > maxPayload:
		return nil, reject(TooLarge, "more than %d bytes", maxPayload)
	case err != nil && (got == d.Digest || int64(len(text)) < d.Size):
		return nil, reject(Unreadable, "%w", err)
	case got != d.Digest: // readers of a registry also report a mismatch
		return nil, reject(Malformed, "digest mismatch: got %s, want %s", got, d.Digest)
	}
	return text, nil
}

// openBundle reads a sigstore bundle.
func openBundle(text []byte) (*candidate, error) {
	var b bundle.Bundle
	switch err := b.UnmarshalJSON(text); {
	case errors.Is(err, bundle.ErrUnsupportedMediaType):
		return nil, reject(UnknownVersion, "media type %q", mediaTypeOf(text))
	case err != nil:
		return nil, reject(Malformed, "not a bundle: %w", err)
	}
	if _, err := b.Envelope(); err != nil {
		return nil, reject(Malformed, "no statement")
	}
	return &candidate{bundle: &b}, nil
}

func mediaTypeOf(text []byte) string {
	var head struct {
		MediaType string `json:"mediaType"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return fmt.Sprint(err)
	}
	return head.MediaType
}
