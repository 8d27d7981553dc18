package image

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Artifact is an image that was found somewhere: an index with its images, or
// one image alone.
type Artifact struct {
	Digest v1.Hash
	// Index is nil when the image has none.
	Index v1.ImageIndex
	// Images are those of Index in its order, without entries of unknown
	// architecture (attestations that other builders put there).
	Images []v1.Image
}

// FromIndex returns the artifact that idx is.
func FromIndex(idx v1.ImageIndex) (Artifact, error) {
	digest, err := idx.Digest()
	if err != nil {
		return Artifact{}, fmt.Errorf("reading index: %w", err)
	}
	m, err := idx.IndexManifest()
	if err != nil {
		return Artifact{}, fmt.Errorf("reading index %s: %w", digest, err)
	}
	a := Artifact{Digest: digest, Index: idx}
	for _, d := range m.Manifests {
		if !isArchitecture(d) {
			continue
		}
		img, err := idx.Image(d.Digest)
		if err != nil {
			return Artifact{}, fmt.Errorf("reading index %s: %w", digest, err)
		}
		a.Images = append(a.Images, img)
	}
	return a, nil
}

// isArchitecture tells the images of an index from whatever else it lists.
func isArchitecture(d v1.Descriptor) bool {
	return d.MediaType.IsImage() && (d.Platform == nil || d.Platform.Architecture != "unknown")
}

// Unlisted are the entries of an index that FromIndex leaves out.
type Unlisted struct {
	// Attestations are for the platform unknown/unknown, as other builders
	// mark what is no image.
	Attestations []v1.Descriptor
	// Unread are the rest.
	Unread []v1.Descriptor
}

// Besides returns what an index lists beside the images of architectures.
func Besides(idx v1.ImageIndex) (Unlisted, error) {
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

// FromImage returns the artifact of an image that no index names.
func FromImage(img v1.Image) (Artifact, error) {
	digest, err := img.Digest()
	if err != nil {
		return Artifact{}, fmt.Errorf("reading image: %w", err)
	}
	return Artifact{Digest: digest, Images: []v1.Image{img}}, nil
}

// Open returns the artifact that ref, a tag or digest, names; with ref "" the
// only one there is. Whatever is read from it is verified first; a damaged
// blob is a *DamagedError.
func (l *Layout) Open(ref string) (Artifact, error) {
	d, err := l.Find(ref)
	if err != nil {
		return Artifact{}, err
	}
	if d.MediaType.IsIndex() {
		return FromIndex(&storedIndex{l, d})
	}
	img, err := l.image(d)
	if err != nil {
		return Artifact{}, fmt.Errorf("reading layout %s: %w", l.dir, err)
	}
	return FromImage(img)
}

// Referrers returns the untagged manifests whose subject is h.
func (l *Layout) Referrers(h v1.Hash) ([]v1.Image, error) {
	all, err := l.Entries()
	if err != nil {
		return nil, err
	}
	var out []v1.Image
	for _, d := range all {
		if d.Annotations[refName] != "" || !d.MediaType.IsImage() {
			continue
		}
		m, err := l.manifest(d)
		if err != nil {
			return nil, fmt.Errorf("reading layout %s: %w", l.dir, err)
		}
		if m.Subject == nil || m.Subject.Digest != h {
			continue
		}
		img, err := l.image(d)
		if err != nil {
			return nil, fmt.Errorf("reading layout %s: %w", l.dir, err)
		}
		out = append(out, img)
	}
	return out, nil
}

func (l *Layout) image(d v1.Descriptor) (v1.Image, error) {
	if _, err := l.manifest(d); err != nil {
		return nil, err
	}
	return partial.CompressedToImage(&storedImage{l, d})
}

// storedIndex is an index in a layout.
type storedIndex struct {
	layout *Layout
	desc   v1.Descriptor
}

func (i *storedIndex) MediaType() (types.MediaType, error) { return i.desc.MediaType, nil }
func (i *storedIndex) Digest() (v1.Hash, error)            { return i.desc.Digest, nil }
func (i *storedIndex) Size() (int64, error)                { return i.desc.Size, nil }
func (i *storedIndex) RawManifest() ([]byte, error)        { return i.layout.bytes(i.desc) }

func (i *storedIndex) IndexManifest() (*v1.IndexManifest, error) {
	if _, err := i.layout.manifest(i.desc); err != nil {
		return nil, err
	}
	raw, err := i.RawManifest()
	if err != nil {
		return nil, err
	}
	return v1.ParseIndexManifest(bytes.NewReader(raw))
}

func (i *storedIndex) child(h v1.Hash) (v1.Descriptor, error) {
	m, err := i.IndexManifest()
	if err != nil {
		return v1.Descriptor{}, err
	}
	for _, d := range m.Manifests {
		if d.Digest == h {
			return d, nil
		}
	}
	return v1.Descriptor{}, &MissingError{Dir: i.layout.dir, Ref: h.String()}
}

func (i *storedIndex) Image(h v1.Hash) (v1.Image, error) {
	d, err := i.child(h)
	if err != nil {
		return nil, err
	}
	return i.layout.image(d)
}

func (i *storedIndex) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	d, err := i.child(h)
	if err != nil {
		return nil, err
	}
	return &storedIndex{i.layout, d}, nil
}

// storedImage implements partial.CompressedImageCore.
type storedImage struct {
	layout *Layout
	desc   v1.Descriptor
}

func (i *storedImage) MediaType() (types.MediaType, error) { return i.desc.MediaType, nil }
func (i *storedImage) RawManifest() ([]byte, error)        { return i.layout.bytes(i.desc) }

func (i *storedImage) RawConfigFile() ([]byte, error) {
	m, err := i.layout.manifest(i.desc)
	if err != nil {
		return nil, err
	}
	if m.Config == nil {
		return nil, fmt.Errorf("manifest %s has no config", i.desc.Digest)
	}
	return i.layout.bytes(*m.Config)
}

func (i *storedImage) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	m, err := i.layout.manifest(i.desc)
	if err != nil {
		return nil, err
	}
	for _, d := range m.blobs() {
		if d.Digest == h {
			return &storedBlob{i.layout, d}, nil
		}
	}
	return nil, fmt.Errorf("manifest %s has no blob %s", i.desc.Digest, h)
}

// storedBlob implements partial.CompressedLayer.
type storedBlob struct {
	layout *Layout
	desc   v1.Descriptor
}

func (b *storedBlob) Digest() (v1.Hash, error)            { return b.desc.Digest, nil }
func (b *storedBlob) Size() (int64, error)                { return b.desc.Size, nil }
func (b *storedBlob) MediaType() (types.MediaType, error) { return b.desc.MediaType, nil }

func (b *storedBlob) Compressed() (io.ReadCloser, error) {
	if err := b.layout.verify(b.desc); err != nil {
		return nil, err
	}
	path, err := b.layout.blobPath(b.desc.Digest)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, b.layout.absent(b.desc, err)
	}
	return f, nil
}

// Labels returns the labels of an image's config.
func Labels(img v1.Image) (map[string]string, error) {
	raw, err := img.RawConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading image config: %w", err)
	}
	var config struct {
		Config struct {
			Labels map[string]string
		} `json:"config"`
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		return nil, fmt.Errorf("reading image config: %w", err)
	}
	return config.Config.Labels, nil
}
