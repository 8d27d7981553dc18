package registry

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/oci"
)

// manifest is a manifest to send, with the blobs it lists.
type manifest struct {
	stored
	subject *v1.Hash
	// listed is its entry in a list of referrers.
	listed v1.Descriptor
	blobs  []blob
}

type blob struct {
	v1.Descriptor
	layer v1.Layer
}

// newManifest returns the manifest of an image or index, without blobs.
func newManifest(m partial.WithRawManifest) (manifest, error) {
	raw, err := m.RawManifest()
	if err != nil {
		return manifest{}, err
	}
	digest, size, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return manifest{}, err
	}
	parsed, err := oci.ParseManifest(raw)
	if err != nil {
		return manifest{}, fmt.Errorf("manifest %s: %w", digest, err)
	}
	kind, err := parsed.Kind()
	if err != nil {
		return manifest{}, fmt.Errorf("manifest %s: %w", digest, err)
	}
	out := manifest{
		stored: stored{digest: digest, mediaType: kind, raw: raw},
		listed: v1.Descriptor{
			MediaType: kind, Digest: digest, Size: size, ArtifactType: parsed.ReferrerType(), Annotations: parsed.Annotations,
		},
	}
	if parsed.Subject != nil {
		out.subject = &parsed.Subject.Digest
	}
	return out, nil
}

// kindOf returns the media type of an image manifest or index.
func kindOf(raw []byte) (types.MediaType, error) {
	m, err := oci.ParseManifest(raw)
	if err != nil {
		return "", err
	}
	return m.Kind()
}

func imageManifest(img v1.Image) (manifest, error) {
	out, err := newManifest(img)
	if err != nil {
		return manifest{}, err
	}
	m, err := img.Manifest()
	if err != nil {
		return manifest{}, err
	}
	config, err := partial.ConfigLayer(img)
	if err != nil {
		return manifest{}, fmt.Errorf("manifest %s: %w", out.digest, err)
	}
	layers, err := img.Layers()
	if err != nil {
		return manifest{}, fmt.Errorf("manifest %s: %w", out.digest, err)
	}
	if len(layers) != len(m.Layers) {
		return manifest{}, fmt.Errorf("manifest %s: %d layers of %d", out.digest, len(layers), len(m.Layers))
	}
	out.blobs = []blob{{m.Config, config}}
	for i, d := range m.Layers {
		if d.MediaType.IsDistributable() {
			out.blobs = append(out.blobs, blob{d, layers[i]})
		}
	}
	return out, nil
}

// indexManifests returns the manifests that an index lists, recursively and in
// topological order; the index is the last.
func indexManifests(idx v1.ImageIndex, depth int) ([]manifest, error) {
	if depth > oci.MaxNesting {
		return nil, errors.New("indexes nested too deep")
	}
	top, err := newManifest(idx)
	if err != nil {
		return nil, err
	}
	m, err := idx.IndexManifest()
	if err != nil {
		return nil, err
	}
	var out []manifest
	for _, d := range m.Manifests {
		var below []manifest
		switch {
		case d.MediaType.IsIndex():
			inner, err := idx.ImageIndex(d.Digest)
			if err != nil {
				return nil, err
			}
			if below, err = indexManifests(inner, depth+1); err != nil {
				return nil, err
			}
		case d.MediaType.IsImage():
			img, err := idx.Image(d.Digest)
			if err != nil {
				return nil, err
			}
			one, err := imageManifest(img)
			if err != nil {
				return nil, err
			}
			below = []manifest{one}
		default:
			return nil, fmt.Errorf("index %s: entry %s has media type %q, want an image or index", top.digest, d.Digest, d.MediaType)
		}
		out = append(out, below...)
	}
	return append(out, top), nil
}

// manifestsOf returns the manifests of images and indexes without duplicates.
func manifestsOf(images []v1.Image, indexes []v1.ImageIndex) ([]manifest, error) {
	var out []manifest
	for _, img := range images {
		m, err := imageManifest(img)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	for _, idx := range indexes {
		all, err := indexManifests(idx, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, all...)
	}
	seen := map[v1.Hash]bool{}
	return slices.DeleteFunc(out, func(m manifest) bool {
		known := seen[m.digest]
		seen[m.digest] = true
		return known
	}), nil
}
