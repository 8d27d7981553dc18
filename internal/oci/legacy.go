package oci

import (
	"maps"
	"regexp"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// FallbackTag returns the tag under which a registry without the referrers API
// keeps the list of the referrers of subject (OCI Distribution Specification
// 1.1, "Referrers Tag Schema").
func FallbackTag(subject v1.Hash) string { return subject.Algorithm + "-" + subject.Hex }

// SignatureTag returns the tag of the legacy signatures of subject.
func SignatureTag(subject v1.Hash) string { return FallbackTag(subject) + ".sig" }

// AttestationTag returns the tag of the legacy attestations of subject.
func AttestationTag(subject v1.Hash) string { return FallbackTag(subject) + ".att" }

// LegacyTags returns the tags under which tools older than OCI 1.1 store
// signatures, attestations and SBOMs of subject, sorted.
func LegacyTags(subject v1.Hash) []string {
	return []string{AttestationTag(subject), FallbackTag(subject) + ".sbom", SignatureTag(subject)}
}

var legacyTag = regexp.MustCompile(`^sha256-([0-9a-f]{64})\.(att|sbom|sig)$`)

// LegacySubject returns the digest that tag was derived from, nil if tag is not
// one of LegacyTags.
func LegacySubject(tag string) *v1.Hash {
	m := legacyTag.FindStringSubmatch(tag)
	if m == nil {
		return nil
	}
	return &v1.Hash{Algorithm: "sha256", Hex: m[1]}
}

// MergeLegacy returns existing with the layers of img that it lacks. The result
// is img itself if existing is nil or img has all layers of existing.
func MergeLegacy(existing, img v1.Image) (v1.Image, error) {
	if existing == nil {
		return img, nil
	}
	if same, err := sameDigest(img, existing); same || err != nil {
		return img, err
	}
	lacking, err := layersBeyond(img, existing)
	if err != nil || len(lacking) == 0 {
		return existing, err
	}
	surplus, err := layersBeyond(existing, img)
	if err != nil || len(surplus) == 0 {
		return img, err
	}
	return mutate.Append(existing, lacking...)
}

func sameDigest(a, b v1.Image) (bool, error) {
	x, err := a.Digest()
	if err != nil {
		return false, err
	}
	y, err := b.Digest()
	return x == y, err
}

// layersBeyond returns the layers of img that other lacks. Annotations count:
// the layers of two signatures of one image have the same content.
func layersBeyond(img, other v1.Image) ([]mutate.Addendum, error) {
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	o, err := other.Manifest()
	if err != nil {
		return nil, err
	}
	layers, err := img.Layers()
	if err != nil {
		return nil, err
	}
	var out []mutate.Addendum
	for i, d := range m.Layers {
		if !slices.ContainsFunc(o.Layers, func(l v1.Descriptor) bool {
			return l.Digest == d.Digest && maps.Equal(l.Annotations, d.Annotations)
		}) {
			out = append(out, mutate.Addendum{Layer: layers[i], Annotations: d.Annotations, MediaType: d.MediaType})
		}
	}
	return out, nil
}
