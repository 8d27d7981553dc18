package oci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// The empty config of an artifact (OCI image specification 1.1, guidance for
// an empty descriptor).
const (
	emptyConfig     = "{}"
	emptyConfigType = types.MediaType("application/vnd.oci.empty.v1+json")
)

// Referrer is a document that is attached to a manifest.
type Referrer struct {
	// ArtifactType is the type of the document, such as
	// "application/spdx+json".
	ArtifactType string
	// MediaType is that of the layer with the document; "" means ArtifactType.
	MediaType string
	Content   []byte
	// Annotations are those of the referrer's manifest.
	Annotations map[string]string
}

// NewReferrer returns the manifest that attaches r to subject, which is an index,
// an image or another referrer. Equal arguments give equal bytes.
func NewReferrer(subject partial.Describable, r Referrer) (v1.Image, error) {
	about, err := describe(subject)
	if err != nil {
		return nil, fmt.Errorf("making referrer: %w", err)
	}
	mediaType := types.MediaType(r.MediaType)
	if mediaType == "" {
		mediaType = types.MediaType(r.ArtifactType)
	}
	layer := static.NewLayer(r.Content, mediaType)
	content, err := describe(layer)
	if err != nil {
		return nil, fmt.Errorf("making referrer: %w", err)
	}
	config, size, err := v1.SHA256(bytes.NewReader([]byte(emptyConfig)))
	if err != nil {
		return nil, fmt.Errorf("making referrer: %w", err)
	}
	raw, err := json.Marshal(artifactManifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: r.ArtifactType,
		Config: v1.Descriptor{MediaType: emptyConfigType, Size: size, Digest: config},
		Layers: []v1.Descriptor{content}, Subject: about, Annotations: r.Annotations,
	})
	if err != nil {
		return nil, fmt.Errorf("making referrer: %w", err)
	}
	return partial.CompressedToImage(&artifact{raw, layer})
}

// describe returns a descriptor with the required fields only.
func describe(d partial.Describable) (v1.Descriptor, error) {
	digest, err := d.Digest()
	if err != nil {
		return v1.Descriptor{}, err
	}
	size, err := d.Size()
	if err != nil {
		return v1.Descriptor{}, err
	}
	mediaType, err := d.MediaType()
	return v1.Descriptor{MediaType: mediaType, Size: size, Digest: digest}, err
}

// artifactManifest is an image manifest with an artifactType, a field that
// v1.Manifest lacks.
type artifactManifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        v1.Descriptor     `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Subject       v1.Descriptor     `json:"subject"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// artifact implements partial.CompressedImageCore.
type artifact struct {
	raw   []byte
	layer v1.Layer
}

func (a *artifact) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }
func (a *artifact) RawManifest() ([]byte, error)        { return a.raw, nil }
func (a *artifact) RawConfigFile() ([]byte, error)      { return []byte(emptyConfig), nil }

// LayerByDigest returns the layer or, for its digest, the config.
func (a *artifact) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	if digest, err := a.layer.Digest(); err != nil || digest == h {
		return a.layer, err
	}
	return static.NewLayer([]byte(emptyConfig), emptyConfigType), nil
}

// maxReferrer bounds the content of a referrer that is read, in bytes.
const maxReferrer = 64 << 20

// ReadReferrer returns the document of a referrer with one layer, and the digest
// of its subject. ok is false if the manifest has another form or none of these
// artifact types. If ok is true and err is not nil, the content could not be
// read and r has only the other fields.
func ReadReferrer(img v1.Image, artifactTypes ...string) (subject v1.Hash, r Referrer, ok bool, err error) {
	raw, err := img.RawManifest()
	if err != nil {
		return v1.Hash{}, Referrer{}, false, fmt.Errorf("reading referrer: %w", err)
	}
	var m struct {
		artifactManifest
		Subject *v1.Descriptor `json:"subject"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return v1.Hash{}, Referrer{}, false, fmt.Errorf("reading referrer: %w", err)
	}
	if m.Subject == nil || len(m.Layers) != 1 || m.Layers[0].Size > maxReferrer || !slices.Contains(artifactTypes, m.ArtifactType) {
		return v1.Hash{}, Referrer{}, false, nil
	}
	r = Referrer{ArtifactType: m.ArtifactType, MediaType: string(m.Layers[0].MediaType), Annotations: m.Annotations}
	if r.Content, err = readContent(img, m.Layers[0]); err != nil {
		return m.Subject.Digest, r, true, fmt.Errorf("reading referrer: %w", err)
	}
	return m.Subject.Digest, r, true, nil
}

func readContent(img v1.Image, d v1.Descriptor) ([]byte, error) {
	layer, err := img.LayerByDigest(d.Digest)
	if err != nil {
		return nil, err
	}
	r, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, maxReferrer+1))
	if err != nil {
		return nil, err
	}
	got, _, err := v1.SHA256(bytes.NewReader(content))
	if err == nil && got != d.Digest {
		err = fmt.Errorf("digest mismatch: got %s, want %s", got, d.Digest)
	}
	if err != nil {
		return nil, err
	}
	return content, nil
}
