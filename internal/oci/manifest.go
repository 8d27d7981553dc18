package oci

import (
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/failure"
)

const (
	// MaxManifest is the size of a manifest that registries must accept at
	// least (OCI Distribution Specification, "Pushing Manifests"), in bytes.
	MaxManifest = 4 << 20
	// MaxLayoutIndex bounds index.json of a layout, in bytes.
	MaxLayoutIndex = 32 << 20
	// MaxNesting is how many levels of indexes may be nested.
	MaxNesting = 4
	// RefName is the annotation with the tag of an entry of index.json (OCI
	// Image Layout Specification).
	RefName = "org.opencontainers.image.ref.name"
)

// Manifest has the fields that image manifests and indexes share or that
// distinguish them (OCI Image Specification 1.1, manifest.md and
// image-index.md).
type Manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Annotations   map[string]string `json:"annotations"`
	Manifests     []v1.Descriptor   `json:"manifests"`
	Config        *v1.Descriptor    `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Subject       *v1.Descriptor    `json:"subject"`
}

// ParseManifest parses a manifest or an index. A document that is both is
// refused with exit code 13: two programs would read two different images.
func ParseManifest(raw []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return Manifest{}, err
	}
	if m.Manifests != nil && (m.Config != nil || m.Layers != nil) {
		return Manifest{}, failure.New(failure.Untrusted, "do not use the image: no known program writes such a manifest",
			"it is both an image manifest and an index")
	}
	return m, nil
}

// Kind returns the media type of an image manifest or index; an OCI document
// may omit the field mediaType. It fails for other documents.
func (m Manifest) Kind() (types.MediaType, error) {
	switch {
	case m.SchemaVersion != 2:
		return "", fmt.Errorf("schemaVersion is %d, want 2", m.SchemaVersion)
	case IsManifest(m.MediaType):
		return m.MediaType, nil
	case m.MediaType != "":
		return "", fmt.Errorf("media type %q is neither an image manifest nor an index", m.MediaType)
	case m.Manifests != nil:
		return types.OCIImageIndex, nil
	case m.Config != nil:
		return types.OCIManifestSchema1, nil
	}
	return "", fmt.Errorf("neither an image manifest nor an index")
}

// IsManifest reports whether t is the media type of an image manifest or index.
func IsManifest(t types.MediaType) bool { return t.IsIndex() || t.IsImage() }

// ReferrerType returns the artifact type with which m is listed as a referrer:
// its own or, if it has none, the media type of its config (OCI Distribution
// Specification 1.1, "Listing Referrers").
func (m Manifest) ReferrerType() string {
	if m.ArtifactType == "" && m.Config != nil {
		return string(m.Config.MediaType)
	}
	return m.ArtifactType
}

// Blobs returns the config and the layers of an image manifest.
func (m Manifest) Blobs() []v1.Descriptor {
	if m.Config == nil {
		return nil
	}
	return append([]v1.Descriptor{*m.Config}, m.Layers...)
}
