package image

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/text"
)

const (
	defaultMaxSize    = 8 << 30
	defaultMaxEntries = 1 << 20
	// maxPath is Linux' PATH_MAX, in bytes.
	maxPath = 4096
)

// FlattenOptions are the limits for reading an image and where its files are kept.
type FlattenOptions struct {
	// Cache keeps the contents of files. If it is nil, a file is read from its
	// layer each time it is opened.
	Cache *cache.Cache
	// Keep selects the files to keep in Cache; nil means all.
	Keep func(filetree.Entry) bool
	// MaxSize bounds the decompressed size of all layers, and the size of all
	// files, in bytes; 0 means 8 GiB.
	MaxSize int64
	// MaxEntries bounds the number of tar entries of all layers; 0 means 2^20.
	MaxEntries int
	// Look, if not nil, is called for every file before it is kept in Cache,
	// with its whole content and its digest. content is valid until Look
	// returns. If Look returns false, the file is not kept.
	Look func(e filetree.Entry, content io.ReaderAt) (keep bool, err error)
	// Lenient records a wrong diff_id in Flat.Layers instead of failing.
	Lenient bool
}

// Flat is the file tree of an image as a container sees it.
type Flat struct {
	Tree filetree.Tree
	// Special are the entries that a Tree cannot hold, in path order.
	Special []Special
	// Owned are the entries of Tree with an owner other than 0:0, in path order.
	Owned []Owned
	// Whiteouts are the paths of the whiteout entries, in the order of the
	// layers.
	Whiteouts []string
	// Layers describe the blobs, lowest layer first.
	Layers []FlatLayer
}

// Owned is an entry whose owner is not root.
type Owned struct {
	Path     string
	UID, GID int
}

// Special is a device, FIFO or another entry that is neither a file nor a folder
// nor a link.
type Special struct {
	Path string
	// Type is the tar entry's type flag.
	Type byte
}

// limitError returns the error for an image that exceeds a limit of what, such as
// "entries".
func limitError(what string, limit int64) error { return fmt.Errorf("more than %d %s", limit, what) }

// ErrEscape is wrapped by the error for an entry outside of the root.
var ErrEscape = errors.New("leaves the root")

// Flatten unpacks the layers of img over each other, lowest first. Whiteouts are
// applied (OCI Image Specification, layer.md), links in a path are followed within
// the root, hard links share their content. The digests of blobs and the diff_ids
// are verified; the error for a wrong one has exit code 13.
func Flatten(ctx context.Context, img v1.Image, o FlattenOptions) (Flat, error) {
	if o.MaxSize == 0 {
		o.MaxSize = defaultMaxSize
	}
	if o.MaxEntries == 0 {
		o.MaxEntries = defaultMaxEntries
	}
	digest, err := img.Digest()
	if err != nil {
		return Flat{}, fmt.Errorf("reading image: %w", err)
	}
	layers, err := img.Layers()
	if err != nil {
		return Flat{}, fmt.Errorf("reading image %s: %w", digest, err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return Flat{}, fmt.Errorf("reading image %s: %w", digest, err)
	}
	diffIDs := config.RootFS.DiffIDs
	if len(diffIDs) != len(layers) {
		if !o.Lenient {
			return Flat{}, fmt.Errorf("reading image %s: %d layers, %d diff_ids", digest, len(layers), len(diffIDs))
		}
		diffIDs = append(slices.Clone(diffIDs), make([]v1.Hash, len(layers))...)
	}
	f := &flattener{ctx: ctx, o: o, where: "image " + digest.String(), forest: newForest(o.MaxEntries), buf: make([]byte, 256<<10)}
	for i, layer := range layers {
		f.layer = i
		if err := f.apply(layer, diffIDs[i]); err != nil {
			return Flat{}, fmt.Errorf("reading image %s: layer %d: %w", digest, i+1, err)
		}
	}
	flat, err := f.forest.flat()
	if err != nil {
		return Flat{}, fmt.Errorf("reading image %s: %w", digest, err)
	}
	flat.Whiteouts, flat.Layers = f.whiteouts, f.layers
	return flat, nil
}

func (f *flattener) read(tr *tar.Reader, layer v1.Layer) error {
	for number := 0; ; number++ {
		if err := f.ctx.Err(); err != nil {
			return err
		}
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if f.entries++; f.entries > f.o.MaxEntries {
			return limitError("entries", int64(f.o.MaxEntries))
		}
		if err := f.add(h, tr, position{layer, number}); err != nil {
			return fmt.Errorf("entry %q: %w", clip(h.Name), err)
		}
	}
}

// clip shortens a name from an image for an error message.
func clip(s string) string { return text.Truncate(s, 200) }

// add applies one tar entry to the tree.
func (f *flattener) add(h *tar.Header, r io.Reader, at position) error {
	name, err := cleanName(h.Name)
	if err != nil || name == "" {
		return err
	}
	if done, err := f.forest.whiteOut(name, f.layer); done || err != nil {
		f.whiteouts = append(f.whiteouts, name)
		return err
	}
	e := filetree.Entry{Path: name, Mode: permissions(h), ModTime: h.ModTime.UTC().Truncate(time.Second)}
	switch h.Typeflag {
	case tar.TypeReg:
		e.Kind, e.Size = filetree.File, h.Size
		if err := f.content(&e, r, at); err != nil {
			return err
		}
	case tar.TypeDir:
		e.Kind = filetree.Dir
	case tar.TypeSymlink:
		e.Kind, e.Link = filetree.Symlink, h.Linkname
	case tar.TypeLink:
		target, err := f.forest.hardLink(h.Linkname)
		if err != nil {
			return err
		}
		if f.size += target.Size; f.size > f.o.MaxSize {
			return limitError("bytes", f.o.MaxSize)
		}
		target.Path = name
		e = target
	case tar.TypeXGlobalHeader:
		return nil
	default:
		return f.forest.put(name, &node{special: h.Typeflag, layer: f.layer})
	}
	return f.forest.put(name, &node{entry: e, layer: f.layer, uid: h.Uid, gid: h.Gid})
}

// permissions returns the mode bits an Entry holds.
func permissions(h *tar.Header) fs.FileMode {
	return h.FileInfo().Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
}

// content hashes a file and keeps it in the cache if the options select it.
func (f *flattener) content(e *filetree.Entry, r io.Reader, at position) error {
	if f.size += e.Size; e.Size < 0 || f.size > f.o.MaxSize {
		return limitError("bytes", f.o.MaxSize)
	}
	if f.o.Cache == nil || f.o.Keep != nil && !f.o.Keep(*e) {
		h := sha256.New()
		if _, err := io.CopyBuffer(h, r, f.buf); err != nil {
			return err
		}
		e.SHA256 = hex.EncodeToString(h.Sum(nil))
		e.Content = &layerContent{at: at, size: e.Size, sha256: e.SHA256}
		return nil
	}
	w, err := f.o.Cache.Create()
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.CopyBuffer(onlyWriter{w}, r, f.buf); err != nil {
		return err
	}
	if f.o.Look != nil {
		e.SHA256, e.Content = w.SHA256(), &layerContent{at: at, size: e.Size, sha256: w.SHA256()}
		if keep, err := f.o.Look(*e, w); err != nil || !keep {
			return err
		}
	}
	if e.SHA256, e.Size, err = w.Commit(""); err != nil {
		return err
	}
	e.Content = f.o.Cache.Content(e.SHA256, e.Size)
	return nil
}
