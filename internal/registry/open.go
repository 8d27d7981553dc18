package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// openedImage is an image whose manifest was read; its blobs are read when they
// are asked for. It implements partial.CompressedImageCore.
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

// openImage returns the image whose manifest is m.
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

// openedLayer knows from its manifest what the library would ask for.
type openedLayer struct {
	v1.Layer
	desc v1.Descriptor
}

func (l *openedLayer) Size() (int64, error)                { return l.desc.Size, nil }
func (l *openedLayer) MediaType() (types.MediaType, error) { return l.desc.MediaType, nil }

// Compressed ends with an error where the registry gives more than the manifest
// says: the library compares the digest, and that only at the end.
func (l *openedLayer) Compressed() (io.ReadCloser, error) {
	r, err := l.Layer.Compressed()
	if err != nil {
		return nil, err
	}
	return &sizedReader{r, l.desc, l.desc.Size}, nil
}

// sizedReader is a blob of a size that is known.
type sizedReader struct {
	io.ReadCloser
	desc v1.Descriptor
	left int64
}

func (r *sizedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return 0, fmt.Errorf("blob %s: the registry has more than its %d bytes", r.desc.Digest, r.desc.Size)
	}
	return n, err
}

// smallBlob reads a blob, and verifies it.
func (s *session) smallBlob(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	a, err := s.ask(ctx, question{method: http.MethodGet, path: "blobs/" + d.Digest.String(), accept: []int{http.StatusOK}})
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", d.Digest, err)
	}
	if got, _, err := v1.SHA256(bytes.NewReader(a.body)); err != nil || got != d.Digest {
		return nil, fmt.Errorf("blob %s: the registry changed it: its content has %s", d.Digest, got)
	}
	return a.body, nil
}

// openedIndex is an index that was read with everything it lists.
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
	return nil, fmt.Errorf("index %s lists no image %s", i.digest, h)
}

func (i *openedIndex) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	if idx, ok := i.indexes[h]; ok {
		return idx, nil
	}
	return nil, fmt.Errorf("index %s lists no index %s", i.digest, h)
}

// opened is an image or an index.
type opened struct {
	digest v1.Hash
	size   int64 // of the manifest, in bytes
	image  v1.Image
	index  v1.ImageIndex
	// below are the digests of all manifests that it lists.
	below []v1.Hash
}

// maxOpened bounds the manifests and lists that are read to open one image with
// all that is attached to it, in bytes; each counts as minOpened at least.
// Whoever may push can attach as many as they like, and an index may list
// another one time and again.
const (
	maxOpened = 512 << 20
	minOpened = 16 << 10
)

// spend counts what was read to open something.
func (s *session) spend(n int) error {
	if s.spent.Add(int64(max(n, minOpened))) > maxOpened {
		return errors.New("it has too many manifests, or too large ones")
	}
	return nil
}

// open reads the manifest of a tag or digest and those it lists.
func (s *session) open(ctx context.Context, ref string, depth int) (opened, bool, error) {
	m, ok, err := s.read(ctx, ref)
	if err != nil || !ok {
		return opened{}, ok, err
	}
	if err := s.spend(len(m.raw)); err != nil {
		return opened{}, true, err
	}
	var d document
	if err := json.Unmarshal(m.raw, &d); err != nil {
		return opened{}, true, fmt.Errorf("manifest %s: %w", m.digest, err)
	}
	m.mediaType = d.kind()
	out := opened{digest: m.digest, size: int64(len(m.raw))}
	switch {
	case m.mediaType.IsIndex() && depth < maxNesting:
		err = s.openIndex(ctx, m, &out, depth)
	case m.mediaType.IsImage():
		out.image, err = s.openImage(ctx, m)
	default:
		err = fmt.Errorf("manifest %s: of no kind that can be copied", m.digest)
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
			return fmt.Errorf("manifest %s: it has %d bytes, and index %s says %d", d.Digest, child.size, m.digest, d.Size)
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
