package image

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Select returns the image of the artifact for a platform, and false when it
// has none. The index is asked, as nodes do; an image without one says itself.
func (a Artifact) Select(want v1.Platform) (v1.Image, bool, error) {
	if a.Index == nil {
		for _, img := range a.Images {
			config, err := img.ConfigFile()
			if err != nil {
				return nil, false, fmt.Errorf("reading image %s: %w", a.Digest, err)
			}
			if p := config.Platform(); p != nil && fits(*p, want) {
				return img, true, nil
			}
		}
		return nil, false, nil
	}
	m, err := a.Index.IndexManifest()
	if err != nil {
		return nil, false, fmt.Errorf("reading index %s: %w", a.Digest, err)
	}
	for _, d := range m.Manifests {
		if d.Platform == nil || !d.MediaType.IsImage() || !fits(*d.Platform, want) {
			continue
		}
		img, err := a.Index.Image(d.Digest)
		if err != nil {
			return nil, false, fmt.Errorf("reading index %s: %w", a.Digest, err)
		}
		return img, true, nil
	}
	return nil, false, nil
}

// fits compares platforms; a variant counts where both have one.
func fits(have, want v1.Platform) bool {
	return have.Architecture == want.Architecture && (have.OS == want.OS || have.OS == "") &&
		(have.Variant == "" || want.Variant == "" || have.Variant == want.Variant)
}
