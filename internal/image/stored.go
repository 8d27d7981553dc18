package image

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/oci"
)

// Open returns the image that ref, a tag or digest, names, without its
// attachments; ref may be "" if the layout has one image. Blobs are verified
// when they are read; the error for a damaged or missing one has exit code 13.
func (l *Layout) Open(ref string) (oci.Set, error) {
	d, err := l.Find(ref)
	if err != nil {
		return oci.Set{}, err
	}
	if d.MediaType.IsIndex() {
		return oci.FromIndex(&storedIndex{l, d})
	}
	img, err := l.image(d)
	if err != nil {
		return oci.Set{}, fmt.Errorf("reading layout %s: %w", l.dir, err)
	}
	return oci.FromImage(img)
}

// Referrers returns the untagged image manifests whose subject is h.
func (l *Layout) Referrers(h v1.Hash) ([]v1.Image, error) {
	all, err := l.Entries()
	if err != nil {
		return nil, err
	}
	var out []v1.Image
	for _, d := range all {
		if d.Annotations[oci.RefName] != "" || !d.MediaType.IsImage() {
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
	return v1.Descriptor{}, fmt.Errorf("index %s: no manifest %s", i.desc.Digest, h)
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
	for _, d := range m.Blobs() {
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

// Compressed verifies the blob before it returns it.
func (b *storedBlob) Compressed() (io.ReadCloser, error) {
	if err := b.layout.verify(b.desc); err != nil {
		return nil, err
	}
	return b.layout.openBlob(b.desc)
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
