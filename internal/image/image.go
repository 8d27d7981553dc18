package image

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// configUser is the user of the config. The image is mounted, never run.
const configUser = "65532:65532"

// Part is a layer of an image with the comment of its history entry.
type Part struct {
	Layer v1.Layer
	// Comment is the field created_by of the history entry, such as "pgext:
	// libraries".
	Comment string
}

// Spec is one architecture's image.
type Spec struct {
	// Platform names architecture and variant; an empty OS is linux.
	Platform v1.Platform
	// Epoch is when the image was created, whole seconds.
	Epoch time.Time
	// Parts are the layers, lowest first.
	Parts []Part
	// Labels belong to the config, Annotations to the manifest.
	Labels, Annotations map[string]string
}

// New returns the image of s with OCI media types, a config and a manifest. Equal
// values of s give equal bytes.
func New(s Spec) (v1.Image, error) {
	if s.Platform.Architecture == "" || len(s.Parts) == 0 {
		return nil, fmt.Errorf("making image: needs an architecture and a layer, got %q and %d", s.Platform.Architecture, len(s.Parts))
	}
	created := v1.Time{Time: s.Epoch.UTC().Truncate(time.Second)}
	img, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), &v1.ConfigFile{
		Architecture: s.Platform.Architecture,
		Variant:      s.Platform.Variant,
		OS:           cmp.Or(s.Platform.OS, "linux"),
		Created:      created,
		RootFS:       v1.RootFS{Type: "layers"},
		Config:       v1.Config{User: configUser, Labels: maps.Clone(s.Labels)},
	})
	if err != nil {
		return nil, fmt.Errorf("making image: %w", err)
	}
	adds := make([]mutate.Addendum, len(s.Parts))
	for i, p := range s.Parts {
		adds[i] = mutate.Addendum{Layer: p.Layer, History: v1.History{Created: created, CreatedBy: p.Comment}}
	}
	img, err = mutate.Append(mutate.ConfigMediaType(img, types.OCIConfigJSON), adds...)
	if err != nil {
		return nil, fmt.Errorf("making image: %w", err)
	}
	if len(s.Annotations) > 0 {
		img = mutate.Annotations(img, maps.Clone(s.Annotations)).(v1.Image)
	}
	return img, nil
}

// NewIndex returns the index of images: one manifest per architecture, sorted by
// platform, so that the order of images does not matter. Two images for one
// platform are an error.
func NewIndex(images []v1.Image, annotations map[string]string) (v1.ImageIndex, error) {
	if len(images) == 0 {
		return nil, fmt.Errorf("making index: no image")
	}
	adds := make([]mutate.IndexAddendum, len(images))
	for i, img := range images {
		config, err := img.ConfigFile()
		if err != nil {
			return nil, fmt.Errorf("making index: %w", err)
		}
		desc, err := partial.Descriptor(untyped{img})
		if err != nil {
			return nil, fmt.Errorf("making index: %w", err)
		}
		desc.Platform = config.Platform()
		desc.Annotations = nil // the manifest has them
		adds[i] = mutate.IndexAddendum{Add: untyped{img}, Descriptor: *desc}
	}
	slices.SortFunc(adds, func(a, b mutate.IndexAddendum) int {
		return cmp.Compare(a.Platform.String(), b.Platform.String())
	})
	for i := 1; i < len(adds); i++ {
		if adds[i].Platform.Equals(*adds[i-1].Platform) {
			return nil, fmt.Errorf("making index: two images for %s", adds[i].Platform)
		}
	}
	idx := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), adds...)
	if len(annotations) > 0 {
		idx = mutate.Annotations(idx, maps.Clone(annotations)).(v1.ImageIndex)
	}
	return idx, nil
}

// untyped is an image whose descriptor has no artifactType. The library would
// otherwise put the media type of the config there.
type untyped struct{ v1.Image }

// ArtifactType is called by partial.Descriptor.
func (untyped) ArtifactType() (string, error) { return "", nil }

// Epoch returns the newest creation time of images; their index has the same.
func Epoch(images []v1.Image) (time.Time, error) {
	var epoch time.Time
	for _, img := range images {
		config, err := img.ConfigFile()
		if err != nil {
			return time.Time{}, fmt.Errorf("reading the images' epoch: %w", err)
		}
		if config.Created.After(epoch) {
			epoch = config.Created.Time
		}
	}
	return epoch, nil
}
