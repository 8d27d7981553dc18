package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
)

// maxNesting is how deep indexes may lie within indexes.
const maxNesting = 4

// manifest is one that is to be sent, with the blobs it names.
type manifest struct {
	stored
	subject *v1.Hash
	// listed is what a list of referrers says about it.
	listed v1.Descriptor
	blobs  []blob
}

type blob struct {
	v1.Descriptor
	layer v1.Layer
}

// newManifest reads the parts that images and indexes share.
func newManifest(m partial.WithRawManifest) (manifest, error) {
	raw, err := m.RawManifest()
	if err != nil {
		return manifest{}, err
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return manifest{}, fmt.Errorf("manifest: %w", err)
	}
	digest, size, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return manifest{}, err
	}
	out := manifest{
		stored: stored{digest: digest, mediaType: d.kind(), raw: raw},
		listed: v1.Descriptor{
			MediaType: d.kind(), Digest: digest, Size: size, ArtifactType: d.artifactType(), Annotations: d.Annotations,
		},
	}
	if out.mediaType == "" {
		return manifest{}, fmt.Errorf("manifest %s: of no kind that can be copied", digest)
	}
	if d.Subject != nil {
		out.subject = &d.Subject.Digest
	}
	return out, nil
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

// indexManifests returns the manifests that an index lists, each before those
// that list it; the index is the last.
func indexManifests(idx v1.ImageIndex, depth int) ([]manifest, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("indexes nested too deep")
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
			return nil, fmt.Errorf("index %s: entry %s is a %q", top.digest, d.Digest, d.MediaType)
		}
		out = append(out, below...)
	}
	return append(out, top), nil
}

// manifestsOf returns the manifests of images and indexes, without repetition.
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
