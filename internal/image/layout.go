package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	// refName is the annotation that makes an entry of index.json a tag (OCI
	// image layout).
	refName = "org.opencontainers.image.ref.name"
	// maxManifest is the size that registries agree to take (OCI distribution
	// specification: at least 4 MiB), in bytes.
	maxManifest = 4 << 20
	// maxLayoutIndex bounds index.json, in bytes.
	maxLayoutIndex = 32 << 20
	layoutFile     = "oci-layout"
	indexFile      = "index.json"
	layoutVersion  = `{"imageLayoutVersion":"1.0.0"}`
)

// Layout is a folder in the OCI image layout. Its index.json names tags;
// entries without a name are referrers. Tags of the form sha256-<hex>.sig, .att
// and .sbom are evidence about the image with that digest, for tools that look
// for it under a tag. A Layout is safe for use by several
// goroutines, and the folder by several processes that go through this
// package.
type Layout struct {
	dir string

	mu       sync.Mutex
	verified map[v1.Hash]fs.FileInfo // blobs whose whole content was seen
}

// At returns the layout in dir, which need not exist yet.
func At(dir string) *Layout {
	return &Layout{dir: dir, verified: map[v1.Hash]fs.FileInfo{}}
}

// Dir returns the folder.
func (l *Layout) Dir() string { return l.dir }

// Path returns where below an output folder the layout of an image is.
func Path(out, image string) string { return filepath.Join(out, filepath.FromSlash(image), "oci") }

// Exists tells whether dir holds a layout.
func Exists(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, layoutFile))
	return err == nil && info.Mode().IsRegular()
}

// NoLayoutError says that a folder is no layout.
type NoLayoutError struct{ Dir string }

func (e *NoLayoutError) Error() string {
	return fmt.Sprintf("reading layout %s: it is no OCI image layout", e.Dir)
}

// Hint names the images that were built into the folder, if any.
func (e *NoLayoutError) Hint() string {
	const most = 10
	found, err := filepath.Glob(filepath.Join(e.Dir, "*", "oci", layoutFile))
	if err != nil || len(found) == 0 {
		return "a layout is a folder with " + layoutFile + " and " + indexFile + ", such as dist/IMAGE/oci of pgext build"
	}
	images := make([]string, len(found))
	for i, f := range found {
		images[i] = filepath.Dir(filepath.Dir(f))
	}
	if len(images) > most {
		images = append(images[:most], "…")
	}
	return "name one of the images in it: " + strings.Join(images, ", ")
}

// MissingError says that a layout has no such tag or digest.
type MissingError struct {
	// Dir is the layout, Ref the tag or digest; "" when one had to be named.
	Dir, Ref string
	// Tags are those that the layout has.
	Tags []string
}

func (e *MissingError) Error() string {
	switch {
	case e.Ref == "" && len(e.Tags) == 0:
		return fmt.Sprintf("layout %s: names no image", e.Dir)
	case e.Ref == "":
		return fmt.Sprintf("layout %s: which of %d tags?", e.Dir, len(e.Tags))
	}
	return fmt.Sprintf("layout %s: no %q", e.Dir, e.Ref)
}

// Hint lists the tags.
func (e *MissingError) Hint() string {
	if len(e.Tags) == 0 {
		return "a build or copy into it that ends well names one"
	}
	return fmt.Sprintf("it has %q", e.Tags)
}

// Entries returns what index.json lists, in its order. A layout that is not
// there yet has none.
func (l *Layout) Entries() ([]v1.Descriptor, error) {
	m, err := l.readIndex()
	if err != nil {
		return nil, fmt.Errorf("reading layout %s: %w", l.dir, err)
	}
	return m.Manifests, nil
}

func (l *Layout) readIndex() (v1.IndexManifest, error) {
	raw, err := readBounded(filepath.Join(l.dir, indexFile), maxLayoutIndex)
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

// Find returns the entry of a tag or digest; with ref "" the only image there
// is. Digests of manifests that only an index names are found, too. When there
// is none the error is a *MissingError.
func (l *Layout) Find(ref string) (v1.Descriptor, error) {
	if !Exists(l.dir) {
		return v1.Descriptor{}, &NoLayoutError{l.dir}
	}
	all, err := l.Entries()
	if err != nil {
		return v1.Descriptor{}, err
	}
	missing := &MissingError{Dir: l.dir, Ref: ref}
	named := map[v1.Hash]v1.Descriptor{}
	for _, d := range all {
		tag := d.Annotations[refName]
		if ref != "" && (tag == ref || d.Digest.String() == ref) {
			return d, nil
		}
		if tag != "" && evidenceSubject(tag) == nil {
			missing.Tags = append(missing.Tags, tag)
			named[d.Digest] = d
		}
	}
	if ref == "" && len(named) == 1 {
		for _, d := range named {
			return d, nil
		}
	}
	for _, d := range named {
		if child, ok := l.child(d, ref); ok {
			return child, nil
		}
	}
	return v1.Descriptor{}, missing
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

// Current returns the digest of a tag when everything it reaches is there and
// is what its digest says.
func (l *Layout) Current(tag string) (v1.Hash, bool) {
	all, err := l.Entries()
	if err != nil || !Exists(l.dir) {
		return v1.Hash{}, false
	}
	for _, d := range all {
		if d.Annotations[refName] == tag {
			return d.Digest, l.complete(d) == nil
		}
	}
	return v1.Hash{}, false
}

// Holds tells whether an entry of index.json is h, and everything it reaches is
// there and is what its digest says.
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

// walk calls fn for d and, after it, for everything that d reaches by content:
// manifests, configs and layers, not subjects.
func (l *Layout) walk(d v1.Descriptor, fn func(v1.Descriptor) error) error {
	return l.walkBelow(d, fn, 0)
}

// maxNesting is how deep indexes may lie within indexes.
const maxNesting = 4

func (l *Layout) walkBelow(d v1.Descriptor, fn func(v1.Descriptor) error, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("blob %s: indexes nested too deep", d.Digest)
	}
	if err := fn(d); err != nil {
		return err
	}
	if !isManifest(d.MediaType) {
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
	for _, c := range m.blobs() {
		if err := fn(c); err != nil {
			return err
		}
	}
	return nil
}

func isManifest(t types.MediaType) bool { return t.IsIndex() || t.IsImage() }

// manifest is what an index and an image manifest have in common and apart.
type manifest struct {
	ArtifactType string          `json:"artifactType"`
	Manifests    []v1.Descriptor `json:"manifests"`
	Config       *v1.Descriptor  `json:"config"`
	Layers       []v1.Descriptor `json:"layers"`
	Subject      *v1.Descriptor  `json:"subject"`
}

func (m manifest) blobs() []v1.Descriptor {
	if m.Config == nil {
		return nil
	}
	return append([]v1.Descriptor{*m.Config}, m.Layers...)
}

// manifest reads the manifest or index that d describes, and verifies it.
func (l *Layout) manifest(d v1.Descriptor) (manifest, error) {
	raw, err := l.bytes(d)
	if err != nil {
		return manifest{}, err
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return manifest{}, fmt.Errorf("blob %s: %w", d.Digest, err)
	}
	if m.Manifests != nil && (m.Config != nil || m.Layers != nil) {
		return manifest{}, &TwofoldError{d.Digest}
	}
	return m, nil
}

// bytes reads a small blob, and verifies it.
func (l *Layout) bytes(d v1.Descriptor) ([]byte, error) {
	path, err := l.blobPath(d.Digest)
	if err != nil {
		return nil, err
	}
	raw, err := readBounded(path, maxManifest)
	if err != nil {
		return nil, l.absent(d, err)
	}
	if got, size, err := v1.SHA256(bytes.NewReader(raw)); err != nil || got != d.Digest || size != d.Size {
		return nil, l.damaged(d, got, size)
	}
	return raw, nil
}

// blobPath returns the file of a blob. The digest may come from a stranger's
// manifest, so it is held to 64 lower-case hex digits of SHA-256.
func (l *Layout) blobPath(h v1.Hash) (string, error) {
	if _, err := v1.NewHash(h.String()); err != nil || h.Algorithm != "sha256" {
		return "", fmt.Errorf("digest %q: not a SHA-256", h)
	}
	return filepath.Join(l.dir, "blobs", h.Algorithm, h.Hex), nil
}

// verify hashes the blob of d, once for as long as its file is not touched.
func (l *Layout) verify(d v1.Descriptor) error {
	path, err := l.blobPath(d.Digest)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return l.absent(d, err)
	}
	defer f.Close()
	return l.verifyFile(d, f)
}

// verifyFile does the same for a file that is open at its start.
func (l *Layout) verifyFile(d v1.Descriptor, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("blob %s: it is no file", d.Digest) // a link to a device may have no end
	}
	l.mu.Lock()
	known := l.verified[d.Digest]
	l.mu.Unlock()
	if known != nil && os.SameFile(known, info) && known.ModTime().Equal(info.ModTime()) && known.Size() == info.Size() && info.Size() == d.Size {
		return nil
	}
	got, size, err := v1.SHA256(f)
	if err != nil {
		return err
	}
	if got != d.Digest || size != d.Size {
		return l.damaged(d, got, size)
	}
	l.trust(d.Digest, info)
	return nil
}

func (l *Layout) trust(h v1.Hash, info fs.FileInfo) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.verified[h] = info
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s: more than %d bytes", path, limit)
	}
	return b, nil
}
