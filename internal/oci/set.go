package oci

import (
	"fmt"
	"maps"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Set is an image with everything attached to it. What is read from a layout or
// registry is verified against its digest.
type Set struct {
	// Digest is that of Index or, where Index is nil, of the only element of
	// Images. It is zero in a Set that has attachments but no image.
	Digest v1.Hash
	// Index is nil for a single image manifest.
	Index v1.ImageIndex
	// Images are the images of Index in its order, without entries for the
	// architecture "unknown" (attestations of other builders), or one image.
	Images []v1.Image
	// Referrers are manifests whose subject is the image, a manifest listed in
	// Index, or another referrer. ReferrerIndexes are referrers that are
	// indexes.
	Referrers       []v1.Image
	ReferrerIndexes []v1.ImageIndex
	// Legacy are the images that tools older than OCI 1.1 find by a tag derived
	// from a digest, such as sha256-<hex>.sig; see LegacyTags.
	Legacy map[string]v1.Image
	// Missing are manifests that a list of referrers names and the registry
	// does not have.
	Missing []v1.Hash
}

// FromIndex returns the Set of idx without attachments.
func FromIndex(idx v1.ImageIndex) (Set, error) {
	digest, err := idx.Digest()
	if err != nil {
		return Set{}, fmt.Errorf("reading index: %w", err)
	}
	m, err := idx.IndexManifest()
	if err != nil {
		return Set{}, fmt.Errorf("reading index %s: %w", digest, err)
	}
	s := Set{Digest: digest, Index: idx}
	for _, d := range m.Manifests {
		if !isArchitecture(d) {
			continue
		}
		img, err := idx.Image(d.Digest)
		if err != nil {
			return Set{}, fmt.Errorf("reading index %s: %w", digest, err)
		}
		s.Images = append(s.Images, img)
	}
	return s, nil
}

// FromImage returns the Set of a single image manifest without attachments.
func FromImage(img v1.Image) (Set, error) {
	digest, err := img.Digest()
	if err != nil {
		return Set{}, fmt.Errorf("reading image: %w", err)
	}
	return Set{Digest: digest, Images: []v1.Image{img}}, nil
}

// isArchitecture reports whether an entry of an index is the image of an
// architecture.
func isArchitecture(d v1.Descriptor) bool {
	return d.MediaType.IsImage() && (d.Platform == nil || d.Platform.Architecture != "unknown")
}

// Attachments returns the number of referrers and of legacy tags.
func (s Set) Attachments() (referrers, legacy int) {
	return len(s.Referrers) + len(s.ReferrerIndexes), len(s.Legacy)
}

// WithAttachments returns s with the referrers and legacy images of other added.
// The layers of two legacy images with the same tag are merged.
func (s Set) WithAttachments(other Set) (Set, error) {
	s.Referrers = append(s.Referrers[:len(s.Referrers):len(s.Referrers)], other.Referrers...)
	s.ReferrerIndexes = append(s.ReferrerIndexes[:len(s.ReferrerIndexes):len(s.ReferrerIndexes)], other.ReferrerIndexes...)
	legacy := maps.Clone(s.Legacy)
	if legacy == nil {
		legacy = map[string]v1.Image{}
	}
	for tag, img := range other.Legacy {
		merged, err := MergeLegacy(legacy[tag], img)
		if err != nil {
			return Set{}, fmt.Errorf("tag %s: %w", tag, err)
		}
		legacy[tag] = merged
	}
	s.Legacy = legacy
	return s, nil
}

// Unlisted are the entries of an index that FromIndex leaves out.
type Unlisted struct {
	// Attestations have the platform unknown/unknown, with which other
	// builders mark entries that are no images.
	Attestations []v1.Descriptor
	// Unread are the rest.
	Unread []v1.Descriptor
}

// UnlistedOf returns the entries of idx that FromIndex leaves out.
func UnlistedOf(idx v1.ImageIndex) (Unlisted, error) {
	m, err := idx.IndexManifest()
	if err != nil {
		return Unlisted{}, err
	}
	var out Unlisted
	for _, d := range m.Manifests {
		switch {
		case d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown":
			out.Attestations = append(out.Attestations, d)
		case !isArchitecture(d):
			out.Unread = append(out.Unread, d)
		}
	}
	return out, nil
}
