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

// bundleType begins the media type of every version of a bundle.
const bundleType = "application/vnd.dev.sigstore.bundle"

// gather finds the evidence about subject; nothing is verified yet.
func gather(subject v1.Hash, e oci.Set) []piece {
	var all []piece
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

// evidenceManifest is what evidence is recognised by.
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
		return m, v1.Hash{}, reject(Unreadable, "its manifest: %w", err)
	}
	digest := v1.Hash{Algorithm: "sha256", Hex: digest.SHA256(raw)}
	if len(raw) > maxManifest {
		return m, digest, reject(TooLarge, "its manifest has %d bytes, more than %d", len(raw), maxManifest)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, digest, reject(Malformed, "its manifest: %w", err)
	}
	return m, digest, nil
}

// readReferrer returns the bundle in img; false where img is about another
// subject, or something else than a bundle.
func readReferrer(subject v1.Hash, img v1.Image) (piece, bool) {
	m, digest, err := readManifest(img)
	p := piece{format: FormatBundle, source: digest, read: func() (*candidate, error) { return nil, err }}
	switch {
	case err != nil:
		return p, true
	case m.Subject == nil || m.Subject.Digest != subject || !m.bundle():
		return piece{}, false
	case len(m.Layers) != 1:
		err = reject(Malformed, "it has %d layers instead of one", len(m.Layers))
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

// bundle tells whether a referrer holds one: by its artifact type, which some
// registries and libraries lose, or by its layer's.
func (m evidenceManifest) bundle() bool {
	for _, name := range []string{m.ArtifactType, m.Config.MediaType} {
		if strings.HasPrefix(name, bundleType) {
			return true
		}
	}
	return len(m.Layers) > 0 && strings.HasPrefix(string(m.Layers[0].MediaType), bundleType)
}

// readLayers returns a piece for each layer of a legacy image.
func readLayers(img v1.Image, read func([]byte, map[string]string) (*candidate, error)) []piece {
	m, digest, err := readManifest(img)
	if err != nil {
		return []piece{{FormatLegacy, digest, func() (*candidate, error) { return nil, err }}}
	}
	all := make([]piece, len(m.Layers))
	for i, layer := range m.Layers {
		all[i] = piece{FormatLegacy, layer.Digest, func() (*candidate, error) {
			text, err := layerText(img, layer)
			if err != nil {
				return nil, err
			}
			return read(text, layer.Annotations)
		}}
	}
	return all
}

// layerText returns the bytes of a layer, which must be those that its
// descriptor names.
func layerText(img v1.Image, d v1.Descriptor) ([]byte, error) {
	if d.Size > maxPayload {
		return nil, reject(TooLarge, "it has %d bytes, more than %d", d.Size, maxPayload)
	}
	layer, err := img.LayerByDigest(d.Digest)
	if err != nil {
		return nil, reject(Unreadable, "%w", err)
	}
	r, err := layer.Compressed() // as it is stored: nothing is compressed here
	if err != nil {
		return nil, reject(Unreadable, "%w", err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxPayload+1))
	got := v1.Hash{Algorithm: "sha256", Hex: digest.SHA256(text)}
	switch {
	case len(text) > maxPayload:
		return nil, reject(TooLarge, "it has more than %d bytes", maxPayload)
	case err != nil && (got == d.Digest || int64(len(text)) < d.Size):
		return nil, reject(Unreadable, "%w", err)
	case got != d.Digest: // those that read from a registry notice it too
		return nil, reject(Malformed, "its bytes are not those of its descriptor: got %s, want %s", got, d.Digest)
	}
	return text, nil
}

// openBundle reads a sigstore bundle.
func openBundle(text []byte) (*candidate, error) {
	var b bundle.Bundle
	switch err := b.UnmarshalJSON(text); {
	case errors.Is(err, bundle.ErrUnsupportedMediaType):
		return nil, reject(UnknownVersion, "it is a %q", mediaTypeOf(text))
	case err != nil:
		return nil, reject(Malformed, "it is no bundle: %w", err)
	}
	if _, err := b.Envelope(); err != nil {
		return nil, reject(Malformed, "it holds no statement about an image")
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
