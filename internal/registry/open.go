package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/oci"
)

// openedImage is an image whose manifest was read; its blobs are read when needed.
// It implements partial.CompressedImageCore.
type openedImage struct {
	stored
	layers map[v1.Hash]v1.Layer
	config func() ([]byte, error)
}

func (i *openedImage) MediaType() (types.MediaType, error) { return i.mediaType, nil }
func (i *openedImage) RawManifest() ([]byte, error)        { return i.raw, nil }
func (i *openedImage) RawConfigFile() ([]byte, error)      { return i.config() }

func (i *openedImage) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	if l, ok := i.layers[h]; ok {
		return l, nil
	}
	return nil, fmt.Errorf("manifest %s has no blob %s", i.digest, h)
}

// openImage returns the image with manifest m.
func (s *session) openImage(ctx context.Context, m stored) (v1.Image, error) {
	parsed, err := v1.ParseManifest(bytes.NewReader(m.raw))
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", m.digest, err)
	}
	layers := map[v1.Hash]v1.Layer{}
	for _, d := range append([]v1.Descriptor{parsed.Config}, parsed.Layers...) {
		blob, err := s.puller.Layer(ctx, s.at(d.Digest))
		if err != nil {
			return nil, fmt.Errorf("manifest %s: %w", m.digest, err)
		}
		layers[d.Digest] = &openedLayer{blob, d}
	}
	return partial.CompressedToImage(&openedImage{m, layers, func() ([]byte, error) { return s.smallBlob(ctx, parsed.Config) }})
}

// openedLayer is a layer with the descriptor of its manifest, so that the library
// need not request size and media type.
type openedLayer struct {
	v1.Layer
	desc v1.Descriptor
}

func (l *openedLayer) Size() (int64, error)                { return l.desc.Size, nil }
func (l *openedLayer) MediaType() (types.MediaType, error) { return l.desc.MediaType, nil }

// Compressed returns a reader that fails if the blob is longer than its descriptor
// states. The library compares only the digest, at the end.
func (l *openedLayer) Compressed() (io.ReadCloser, error) {
	r, err := l.Layer.Compressed()
	if err != nil {
		return nil, err
	}
	return &sizedReader{r, l.desc, l.desc.Size}, nil
}

// sizedReader reads a blob of a known size.
type sizedReader struct {
	io.ReadCloser
	desc v1.Descriptor
	left int64
}

func (r *sizedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return 0, fmt.Errorf("blob %s: got more than %d bytes from the registry", r.desc.Digest, r.desc.Size)
	}
	return n, err
}

// smallBlob reads and verifies a blob.
func (s *session) smallBlob(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	a, err := s.do(ctx, request{method: http.MethodGet, path: "blobs/" + d.Digest.String(), accept: []int{http.StatusOK}})
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", d.Digest, err)
	}
	if err := checkBlob(d, a.body); err != nil {
		return nil, err
	}
	return a.body, nil
}

// checkBlob compares the content of a blob with its digest.
func checkBlob(d v1.Descriptor, content []byte) error {
	got, _, err := v1.SHA256(bytes.NewReader(content))
	if err == nil && got != d.Digest {
		err = fmt.Errorf("blob %s: digest mismatch: got %s from the registry", d.Digest, got)
	}
	return err
}

// openedIndex is an index that was read with all manifests it lists.
type openedIndex struct {
	stored
	images  map[v1.Hash]v1.Image
	indexes map[v1.Hash]v1.ImageIndex
}

func (i *openedIndex) MediaType() (types.MediaType, error) { return i.mediaType, nil }
func (i *openedIndex) Digest() (v1.Hash, error)            { return i.digest, nil }
func (i *openedIndex) Size() (int64, error)                { return int64(len(i.raw)), nil }
func (i *openedIndex) RawManifest() ([]byte, error)        { return i.raw, nil }

func (i *openedIndex) IndexManifest() (*v1.IndexManifest, error) {
	return v1.ParseIndexManifest(bytes.NewReader(i.raw))
}

func (i *openedIndex) Image(h v1.Hash) (v1.Image, error) {
	if img, ok := i.images[h]; ok {
		return img, nil
	}
	return nil, fmt.Errorf("index %s: no image %s", i.digest, h)
}

func (i *openedIndex) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	if idx, ok := i.indexes[h]; ok {
		return idx, nil
	}
	return nil, fmt.Errorf("index %s: no index %s", i.digest, h)
}

// opened is an image or an index that was read from a registry.
type opened struct {
	digest v1.Hash
	size   int64 // of the manifest, in bytes
	image  v1.Image
	index  v1.ImageIndex
	// below are the digests of all manifests that it lists.
	below []v1.Hash
}

// set returns the oci.Set of what was opened, without attachments.
func (o opened) set() (oci.Set, error) {
	if o.index != nil {
		return oci.FromIndex(o.index)
	}
	return oci.FromImage(o.image)
}

// maxOpened bounds the size of all manifests and lists that are read for one image
// with its attachments, in bytes; each counts as minOpened at least. Every account
// with push access can attach any number, and indexes may list each other.
const (
	maxOpened = 512 << 20
	minOpened = 16 << 10
)

// spend counts n bytes that were read.
func (s *session) spend(n int) error {
	if s.spent.Add(int64(max(n, minOpened))) > maxOpened {
		return errors.New("its manifests exceed the limit of 512 MiB")
	}
	return nil
}

// open reads the manifest of a tag or digest and those it lists; false if the
// registry does not have it.
func (s *session) open(ctx context.Context, ref string, depth int) (opened, bool, error) {
	m, ok, err := s.read(ctx, ref)
	if err != nil || !ok {
		return opened{}, ok, err
	}
	if err := s.spend(len(m.raw)); err != nil {
		return opened{}, true, err
	}
	if m.mediaType, err = kindOf(m.raw); err != nil {
		return opened{}, true, fmt.Errorf("manifest %s: %w", m.digest, err)
	}
	out := opened{digest: m.digest, size: int64(len(m.raw))}
	switch {
	case m.mediaType.IsIndex() && depth < oci.MaxNesting:
		err = s.openIndex(ctx, m, &out, depth)
	case m.mediaType.IsImage():
		out.image, err = s.openImage(ctx, m)
	default:
		err = fmt.Errorf("index %s: indexes nested too deep", m.digest)
	}
	return out, true, err
}

func (s *session) openIndex(ctx context.Context, m stored, out *opened, depth int) error {
	idx := &openedIndex{m, map[v1.Hash]v1.Image{}, map[v1.Hash]v1.ImageIndex{}}
	parsed, err := idx.IndexManifest()
	if err != nil {
		return fmt.Errorf("manifest %s: %w", m.digest, err)
	}
	for _, d := range parsed.Manifests {
		child, ok, err := s.open(ctx, d.Digest.String(), depth+1)
		switch {
		case err != nil:
			return err
		case !ok:
			return &incompleteError{"manifest " + d.Digest.String(), notThere}
		case child.size != d.Size:
			return fmt.Errorf("manifest %s: size mismatch: got %d bytes, want %d (index %s)", d.Digest, child.size, d.Size, m.digest)
		case child.index != nil:
			idx.indexes[d.Digest] = child.index
		default:
			idx.images[d.Digest] = child.image
		}
		out.below = append(append(out.below, d.Digest), child.below...)
	}
	out.index = idx
	return nil
}
