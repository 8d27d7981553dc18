package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/oci"
)

const (
	layoutFile    = "oci-layout"
	indexFile     = "index.json"
	layoutVersion = `{"imageLayoutVersion":"1.0.0"}`
)

// Layout is an OCI image layout: a folder or, read-only, a tar archive that
// contains one. Its index.json names images by tag; entries without a tag are
// referrers. Tags of oci.LegacyTags are attachments, not images. A Layout is safe
// for concurrent use, and its folder by several processes that use this package.
type Layout struct {
	dir     string
	archive func() (*archive, error) // nil if dir is no file

	mu       sync.Mutex
	verified map[v1.Hash]fs.FileInfo // blobs whose digest was verified
}

// At returns the layout at path, a tar archive or a folder that need not exist
// yet.
func At(path string) *Layout {
	return &Layout{
		dir: path, verified: map[v1.Hash]fs.FileInfo{},
		archive: sync.OnceValues(func() (*archive, error) { return readArchive(path) }),
	}
}

// Dir returns the path given to At.
func (l *Layout) Dir() string { return l.dir }

// Path returns the folder of an image's layout below an output folder.
func Path(out, image string) string { return filepath.Join(out, filepath.FromSlash(image), "oci") }

// open opens a file of the layout by its slash-separated name.
func (l *Layout) open(name string) (fs.File, error) {
	a, err := l.archive()
	switch {
	case err != nil:
		return nil, err
	case a != nil:
		return a.Open(name)
	}
	return os.Open(filepath.Join(l.dir, filepath.FromSlash(name)))
}

// check returns an error if there is no layout.
func (l *Layout) check() error {
	f, err := l.open(layoutFile)
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, fs.ErrNotExist):
		return failure.New(failure.Other, "name an OCI image layout, such as dist/IMAGE: it contains the files "+layoutFile+" and "+indexFile,
			"reading layout %s: not an OCI image layout", l.dir)
	}
	return err
}

// Entries returns the entries of index.json in their order; none if there is no
// layout yet.
func (l *Layout) Entries() ([]v1.Descriptor, error) {
	m, err := l.readIndex()
	if err != nil {
		return nil, fmt.Errorf("reading layout %s: %w", l.dir, err)
	}
	return m.Manifests, nil
}

func (l *Layout) readIndex() (v1.IndexManifest, error) {
	raw, err := l.read(indexFile, oci.MaxLayoutIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return v1.IndexManifest{}, nil
	}
	if err != nil {
		return v1.IndexManifest{}, err
	}
	var m v1.IndexManifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return v1.IndexManifest{}, fmt.Errorf("%s: %w", indexFile, err)
	}
	return m, nil
}

// Find returns the entry of a tag or digest, or the manifest with that digest in
// an index; ref may be "" if the layout has one image.
func (l *Layout) Find(ref string) (v1.Descriptor, error) {
	if err := l.check(); err != nil {
		return v1.Descriptor{}, err
	}
	all, err := l.Entries()
	if err != nil {
		return v1.Descriptor{}, err
	}
	var refs []oci.Ref
	images := map[v1.Hash]v1.Descriptor{}
	for _, d := range all {
		tag := d.Annotations[oci.RefName]
		if ref != "" && (tag == ref || d.Digest.String() == ref) {
			return d, nil
		}
		if tag != "" && oci.LegacySubject(tag) == nil {
			refs = append(refs, oci.Ref{Layout: l.dir, Tag: tag})
			images[d.Digest] = d
		}
	}
	for _, d := range images {
		if ref == "" && len(images) == 1 {
			return d, nil
		}
		if child, ok := l.child(d, ref); ok {
			return child, nil
		}
	}
	return v1.Descriptor{}, oci.NotOne(l.dir, ref, refs)
}

// child returns the manifest with the digest ref that the index d lists.
func (l *Layout) child(d v1.Descriptor, ref string) (v1.Descriptor, bool) {
	if ref == "" || !d.MediaType.IsIndex() {
		return v1.Descriptor{}, false
	}
	m, err := l.manifest(d)
	if err != nil {
		return v1.Descriptor{}, false
	}
	for _, c := range m.Manifests {
		if c.Digest.String() == ref {
			return c, true
		}
	}
	return v1.Descriptor{}, false
}

// Current returns the digest of a tag, and whether everything it reaches is
// present with the right digest.
func (l *Layout) Current(tag string) (v1.Hash, bool) {
	all, err := l.Entries()
	if err != nil || l.check() != nil {
		return v1.Hash{}, false
	}
	for _, d := range all {
		if d.Annotations[oci.RefName] == tag {
			return d.Digest, l.complete(d) == nil
		}
	}
	return v1.Hash{}, false
}

// Holds reports whether index.json has an entry with digest h and everything it
// reaches is present with the right digest.
func (l *Layout) Holds(h v1.Hash) bool {
	all, err := l.Entries()
	if err != nil {
		return false
	}
	i := slices.IndexFunc(all, func(d v1.Descriptor) bool { return d.Digest == h })
	return i >= 0 && l.complete(all[i]) == nil
}

// complete verifies the blobs that d reaches.
func (l *Layout) complete(d v1.Descriptor) error {
	return l.walk(d, func(d v1.Descriptor) error { return l.verify(d) })
}

// walk calls fn for d and then for everything it lists, recursively: manifests,
// configs and layers, not subjects.
func (l *Layout) walk(d v1.Descriptor, fn func(v1.Descriptor) error) error {
	return l.walkBelow(d, fn, 0)
}

func (l *Layout) walkBelow(d v1.Descriptor, fn func(v1.Descriptor) error, depth int) error {
	if depth > oci.MaxNesting {
		return fmt.Errorf("blob %s: indexes nested too deep", d.Digest)
	}
	if err := fn(d); err != nil {
		return err
	}
	if !oci.IsManifest(d.MediaType) {
		return nil
	}
	m, err := l.manifest(d)
	if err != nil {
		return err
	}
	for _, c := range m.Manifests {
		if err := l.walkBelow(c, fn, depth+1); err != nil {
			return err
		}
	}
	for _, c := range m.Blobs() {
		if err := fn(c); err != nil {
			return err
		}
	}
	return nil
}

// manifest reads and verifies the manifest or index that d describes.
func (l *Layout) manifest(d v1.Descriptor) (oci.Manifest, error) {
	raw, err := l.bytes(d)
	if err != nil {
		return oci.Manifest{}, err
	}
	m, err := oci.ParseManifest(raw)
	if err != nil {
		return oci.Manifest{}, fmt.Errorf("blob %s: %w", d.Digest, err)
	}
	return m, nil
}

// bytes reads and verifies a small blob.
func (l *Layout) bytes(d v1.Descriptor) ([]byte, error) {
	name, err := blobName(d.Digest)
	if err != nil {
		return nil, err
	}
	raw, err := l.read(name, oci.MaxManifest)
	if err != nil {
		return nil, l.absent(d, err)
	}
	if got, size, err := v1.SHA256(bytes.NewReader(raw)); err != nil || got != d.Digest || size != d.Size {
		return nil, l.damaged(d, got, size)
	}
	return raw, nil
}

// blobName returns the name of a blob's file. The digest may come from a hostile
// manifest, so only 64 lower-case hexadecimal digits of SHA-256 are accepted.
func blobName(h v1.Hash) (string, error) {
	if _, err := v1.NewHash(h.String()); err != nil || h.Algorithm != "sha256" {
		return "", fmt.Errorf("digest %q is not a SHA-256 digest", h)
	}
	return path.Join("blobs", h.Algorithm, h.Hex), nil
}

// verify compares the content of a blob with its digest and size.
func (l *Layout) verify(d v1.Descriptor) error {
	f, err := l.openBlob(d)
	if err != nil {
		return err
	}
	defer f.Close()
	return l.verifyFile(d, f)
}

func (l *Layout) openBlob(d v1.Descriptor) (fs.File, error) {
	name, err := blobName(d.Digest)
	if err != nil {
		return nil, err
	}
	f, err := l.open(name)
	if err != nil {
		return nil, l.absent(d, err)
	}
	return f, nil
}

// verifyFile is verify for a file opened at its start. A file is hashed once as
// long as it does not change.
func (l *Layout) verifyFile(d v1.Descriptor, f fs.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("blob %s is not a regular file", d.Digest) // reading a device may never end
	}
	l.mu.Lock()
	known := l.verified[d.Digest]
	l.mu.Unlock()
	if known != nil && info.Size() == d.Size && unchanged(known, info) {
		return nil
	}
	got, size, err := v1.SHA256(f)
	if err != nil {
		return err
	}
	if got != d.Digest || size != d.Size {
		return l.damaged(d, got, size)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.verified[d.Digest] = info
	return nil
}

// unchanged reports whether two results of Stat are of the same file in the same
// state.
func unchanged(a, b fs.FileInfo) bool {
	return (a == b || os.SameFile(a, b)) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// read returns the content of a file of at most limit bytes.
func (l *Layout) read(name string, limit int64) ([]byte, error) {
	f, err := l.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s: more than %d bytes", name, limit)
	}
	return b, nil
}
