package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/filetree"
)

// OutputVersion is incremented if equal inputs give other bytes than before. A new
// version of the compression library counts, because it may give other bytes.
const OutputVersion = 1

// compressVersion is the version of klauspost/compress in go.mod.
const compressVersion = "v1.20.3"

// recordKind is the kind of cache records with the digest of a tree's layer.
const recordKind = "layer"

// Compression is the compression of a layer.
type Compression string

// The compressions that containerd and CRI-O unpack. "" means Gzip.
const (
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
)

// LayerOptions are the options of NewLayer.
type LayerOptions struct {
	// Cache stores the blob; required.
	Cache *cache.Cache
	// Compression is Gzip if empty.
	Compression Compression
	// Epoch is the latest time an entry may have; the zero time sets no limit.
	Epoch time.Time
	// Jobs is the number of blocks compressed concurrently; 0 means one per
	// CPU. It does not influence the bytes.
	Jobs int
}

// Layer is a tree as a compressed tar in the cache. It implements v1.Layer.
type Layer struct {
	cache     *cache.Cache
	mediaType types.MediaType
	digest    v1.Hash
	diffID    v1.Hash
	size      int64
}

// layerRecord is the cache record of a layer. With it, an unchanged layer is not
// compressed again and its files are not opened.
type layerRecord struct {
	Digest string `json:"digest"`
	DiffID string `json:"diffID"`
	Size   int64  `json:"size"`
}

// NewLayer returns the layer of tree. Its bytes depend only on the entries as they
// appear in the tar, the epoch and the compression. If the cache has the layer of
// the tree, the files are not read.
func NewLayer(ctx context.Context, tree filetree.Tree, o LayerOptions) (*Layer, error) {
	mediaType := types.OCILayer
	switch o.Compression {
	case "", Gzip:
		o.Compression = Gzip
	case Zstd:
		mediaType = types.OCILayerZStd
	default:
		return nil, fmt.Errorf("making layer: unknown compression %q", o.Compression)
	}
	all, err := entries(tree, o.Epoch)
	if err != nil {
		return nil, fmt.Errorf("making layer: %w", err)
	}
	key := fmt.Sprintf("%d %s %s %s", OutputVersion, compressVersion, o.Compression, identity(all))
	l, ok := recall(o.Cache, key)
	if !ok {
		if l, err = compress(ctx, all, o); err != nil {
			return nil, fmt.Errorf("making layer: %w", err)
		}
		if err := remember(o.Cache, key, l); err != nil {
			return nil, fmt.Errorf("making layer: %w", err)
		}
	}
	return &Layer{
		cache: o.Cache, mediaType: mediaType, size: l.Size,
		digest: v1.Hash{Algorithm: "sha256", Hex: l.Digest},
		diffID: v1.Hash{Algorithm: "sha256", Hex: l.DiffID},
	}, nil
}

func recall(c *cache.Cache, key string) (layerRecord, bool) {
	var l layerRecord
	data, ok := c.Record(recordKind, key)
	if !ok || json.Unmarshal(data, &l) != nil {
		return layerRecord{}, false
	}
	size, ok := c.Has(l.Digest)
	return l, ok && size == l.Size
}

func remember(c *cache.Cache, key string, l layerRecord) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return c.PutRecord(recordKind, key, data)
}

// compress writes the blob of the layer to the cache.
func compress(ctx context.Context, all []filetree.Entry, o LayerOptions) (layerRecord, error) {
	blob, err := o.Cache.Create()
	if err != nil {
		return layerRecord{}, err
	}
	defer blob.Abort()
	z, err := newCompressor(blob, o)
	if err != nil {
		return layerRecord{}, err
	}
	diffID := sha256.New()
	err = writeTar(ctx, io.MultiWriter(z, diffID), all)
	if closeErr := z.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return layerRecord{}, err
	}
	digest, size, err := blob.Commit("")
	if err != nil {
		return layerRecord{}, err
	}
	return layerRecord{Digest: digest, DiffID: hex.EncodeToString(diffID.Sum(nil)), Size: size}, nil
}

func newCompressor(w io.Writer, o LayerOptions) (io.WriteCloser, error) {
	if o.Compression == Zstd {
		// With one goroutine the order of blocks is fixed.
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	jobs := o.Jobs
	if jobs < 1 {
		jobs = runtime.GOMAXPROCS(0)
	}
	return newGzipWriter(w, jobs), nil
}

// Digest implements v1.Layer.
func (l *Layer) Digest() (v1.Hash, error) { return l.digest, nil }

// DiffID implements v1.Layer.
func (l *Layer) DiffID() (v1.Hash, error) { return l.diffID, nil }

// Size implements v1.Layer; bytes of the compressed blob.
func (l *Layer) Size() (int64, error) { return l.size, nil }

// MediaType implements v1.Layer.
func (l *Layer) MediaType() (types.MediaType, error) { return l.mediaType, nil }

// Compressed implements v1.Layer. The blob is verified before it is read.
func (l *Layer) Compressed() (io.ReadCloser, error) { return l.cache.Open(l.digest.Hex) }

// Uncompressed implements v1.Layer.
func (l *Layer) Uncompressed() (io.ReadCloser, error) {
	f, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	var r io.ReadCloser
	if l.mediaType == types.OCILayerZStd {
		var d *zstd.Decoder
		if d, err = zstd.NewReader(f); err == nil {
			r = d.IOReadCloser()
		}
	} else {
		r, err = gzip.NewReader(f)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("reading layer %s: %w", l.digest, err)
	}
	return &stacked{r, f}, nil
}

// stacked closes a decompressor and its input.
type stacked struct {
	io.ReadCloser
	below io.Closer
}

func (s *stacked) Close() error {
	err := s.ReadCloser.Close()
	if e := s.below.Close(); err == nil {
		err = e
	}
	return err
}
