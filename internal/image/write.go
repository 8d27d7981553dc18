package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/atomicfile"
	"github.com/pgext/pgext/internal/oci"
)

// temporary is the prefix of unfinished files. They are next to index.json, where
// readers of a layout do not look.
const temporary = atomicfile.Temporary

// Output is the argument of Write.
type Output struct {
	// Set is an image with attachments, or attachments of an image that the
	// layout has. The layers of a legacy image are merged into those that its
	// tag names in the layout.
	oci.Set
	// Tags name the image from now on.
	Tags []string
	// Replace removes other referrers with the same subject and artifact type.
	Replace bool
}

// Write adds o to the layout and removes the blobs that no entry reaches any
// more, including untagged referrers of removed subjects. Existing valid files are
// not touched. Others appear by rename, index.json last, so that an interrupted
// Write leaves the old state. Concurrent writers wait for each other.
func (l *Layout) Write(ctx context.Context, o Output) error {
	if err := l.write(ctx, o); err != nil {
		return l.writeError(err)
	}
	return nil
}

func (l *Layout) write(ctx context.Context, o Output) error {
	if info, err := os.Stat(l.dir); err == nil && !info.IsDir() && oci.IsLayout(l.dir) {
		return errors.New("it is an archive, which is read-only")
	}
	if err := os.MkdirAll(filepath.Join(l.dir, "blobs", "sha256"), 0o755); err != nil {
		return err
	}
	unlock, err := LockDir(ctx, l.dir)
	if err != nil {
		return err
	}
	defer unlock()
	l.removeTemporary()
	if err := atomicfile.Write(filepath.Join(l.dir, layoutFile), []byte(layoutVersion)); err != nil {
		return err
	}
	old, err := l.readIndex()
	if err != nil {
		return err
	}
	added, err := l.writeOutput(ctx, o)
	if err != nil {
		return err
	}
	all := descriptors(l.reachable(l.merge(old.Manifests, added, o.Replace)))
	raw, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: all})
	if err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(l.dir, indexFile), raw); err != nil {
		return err
	}
	return l.prune(all)
}

// writeOutput writes the blobs of o and returns the entries for them.
func (l *Layout) writeOutput(ctx context.Context, o Output) ([]entry, error) {
	var added []entry
	if o.Index != nil || len(o.Images) > 0 {
		d, err := l.writeTop(ctx, o.Set)
		if err != nil {
			return nil, err
		}
		for _, tag := range o.Tags {
			added = append(added, tagged(d, tag))
		}
	}
	for _, r := range o.Referrers {
		d, err := l.writeImage(ctx, r)
		if err != nil {
			return nil, err
		}
		e, err := l.referrer(d)
		if err != nil {
			return nil, err
		}
		added = append(added, e)
	}
	for _, r := range o.ReferrerIndexes {
		d, err := l.writeIndex(ctx, r, 0)
		if err != nil {
			return nil, err
		}
		e, err := l.referrer(d)
		if err != nil {
			return nil, err
		}
		added = append(added, e)
	}
	legacy, err := l.writeLegacy(ctx, o.Legacy)
	return append(added, legacy...), err
}

// writeTop writes the index of a set or its only image.
func (l *Layout) writeTop(ctx context.Context, s oci.Set) (v1.Descriptor, error) {
	if s.Index != nil {
		return l.writeIndex(ctx, s.Index, 0)
	}
	return l.writeImage(ctx, s.Images[0])
}

func tagged(d v1.Descriptor, tag string) entry {
	d.Annotations = map[string]string{oci.RefName: tag}
	return entry{d, oci.LegacySubject(tag)}
}

// referrer returns the entry of a referrer that was written.
func (l *Layout) referrer(d v1.Descriptor) (entry, error) {
	m, err := l.manifest(d)
	if err != nil {
		return entry{}, err
	}
	if m.Subject == nil {
		return entry{}, fmt.Errorf("referrer %s has no subject", d.Digest)
	}
	d.ArtifactType = m.ArtifactType
	return entry{d, &m.Subject.Digest}, nil
}

// writeLegacy merges images into those that their tags name.
func (l *Layout) writeLegacy(ctx context.Context, images map[string]v1.Image) ([]entry, error) {
	var added []entry
	for _, tag := range slices.Sorted(maps.Keys(images)) {
		existing, err := l.legacy(tag)
		if err != nil {
			return nil, err
		}
		img, err := oci.MergeLegacy(existing, images[tag])
		if err != nil {
			return nil, fmt.Errorf("tag %s: %w", tag, err)
		}
		d, err := l.writeImage(ctx, img)
		if err != nil {
			return nil, err
		}
		added = append(added, tagged(d, tag))
	}
	return added, nil
}

func (l *Layout) writeIndex(ctx context.Context, idx v1.ImageIndex, depth int) (v1.Descriptor, error) {
	if depth > oci.MaxNesting {
		return v1.Descriptor{}, errors.New("indexes nested too deep")
	}
	m, err := idx.IndexManifest()
	if err != nil {
		return v1.Descriptor{}, err
	}
	for _, child := range m.Manifests {
		if err := l.writeChild(ctx, idx, child, depth); err != nil {
			return v1.Descriptor{}, err
		}
	}
	return l.writeManifest(idx)
}

func (l *Layout) writeChild(ctx context.Context, idx v1.ImageIndex, d v1.Descriptor, depth int) error {
	if d.MediaType.IsIndex() {
		inner, err := idx.ImageIndex(d.Digest)
		if err != nil {
			return err
		}
		_, err = l.writeIndex(ctx, inner, depth+1)
		return err
	}
	img, err := idx.Image(d.Digest)
	if err != nil {
		return err
	}
	_, err = l.writeImage(ctx, img)
	return err
}

func (l *Layout) writeImage(ctx context.Context, img v1.Image) (v1.Descriptor, error) {
	layers, err := img.Layers()
	if err != nil {
		return v1.Descriptor{}, err
	}
	for _, layer := range layers {
		if err := ctx.Err(); err != nil {
			return v1.Descriptor{}, err
		}
		d, err := partial.Descriptor(layer)
		if err != nil {
			return v1.Descriptor{}, err
		}
		if err := l.writeBlob(*d, layer.Compressed); err != nil {
			return v1.Descriptor{}, err
		}
	}
	config, err := partial.ConfigLayer(img)
	if err != nil {
		return v1.Descriptor{}, err
	}
	d, err := partial.Descriptor(config)
	if err != nil {
		return v1.Descriptor{}, err
	}
	if err := l.writeBlob(*d, config.Compressed); err != nil {
		return v1.Descriptor{}, err
	}
	return l.writeManifest(img)
}

// rawManifest is an index or an image.
type rawManifest interface {
	partial.WithRawManifest
	MediaType() (types.MediaType, error)
}

func (l *Layout) writeManifest(m rawManifest) (v1.Descriptor, error) {
	raw, err := m.RawManifest()
	if err != nil {
		return v1.Descriptor{}, err
	}
	mediaType, err := m.MediaType()
	if err != nil {
		return v1.Descriptor{}, err
	}
	digest, size, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return v1.Descriptor{}, err
	}
	d := v1.Descriptor{Digest: digest, Size: size, MediaType: mediaType}
	return d, l.writeBlob(d, func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(raw)), nil
	})
}

// writeBlob writes a blob unless the layout has it. It fails if the content has
// another digest or size.
func (l *Layout) writeBlob(d v1.Descriptor, open func() (io.ReadCloser, error)) error {
	if l.verify(d) == nil {
		return nil
	}
	name, err := blobName(d.Digest)
	if err != nil {
		return err
	}
	r, err := open()
	if err != nil {
		return err
	}
	defer r.Close()
	return l.replace(filepath.Join(l.dir, filepath.FromSlash(name)), io.LimitReader(r, d.Size+1), func(f *os.File) error { return l.verifyFile(d, f) })
}

// replace writes a file under a temporary name and renames it if check accepts
// it. io.Copy lets the operating system copy a file, which may share its blocks.
func (l *Layout) replace(path string, r io.Reader, check func(*os.File) error) (err error) {
	f, err := os.CreateTemp(l.dir, temporary)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name()) //nolint:errcheck // the first error is returned
		}
	}()
	if _, err = io.Copy(f, r); err != nil {
		return err
	}
	if _, err = f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err = check(f); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
