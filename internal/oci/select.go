package oci

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Select returns the image for a platform, and false when the set has none. As
// on a Kubernetes node the entries of the index decide; the platform of a single
// image comes from its config.
func (s Set) Select(want v1.Platform) (v1.Image, bool, error) {
	if s.Index == nil {
		for _, img := range s.Images {
			config, err := img.ConfigFile()
			if err != nil {
				return nil, false, fmt.Errorf("reading image %s: %w", s.Digest, err)
			}
			if p := config.Platform(); p != nil && matches(*p, want) {
				return img, true, nil
			}
		}
		return nil, false, nil
	}
	m, err := s.Index.IndexManifest()
	if err != nil {
		return nil, false, fmt.Errorf("reading index %s: %w", s.Digest, err)
	}
	for _, d := range m.Manifests {
		if d.Platform == nil || !d.MediaType.IsImage() || !matches(*d.Platform, want) {
			continue
		}
		img, err := s.Index.Image(d.Digest)
		if err != nil {
			return nil, false, fmt.Errorf("reading index %s: %w", s.Digest, err)
		}
		return img, true, nil
	}
	return nil, false, nil
}

// matches compares platforms; variants are compared only if both have one.
func matches(have, want v1.Platform) bool {
	return have.Architecture == want.Architecture && (have.OS == want.OS || have.OS == "") &&
		(have.Variant == "" || want.Variant == "" || have.Variant == want.Variant)
}
