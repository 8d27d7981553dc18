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
)

// temporary starts the names of files that are not finished. They lie beside
// index.json, where no reader of a layout looks.
const temporary = atomicfile.Temporary

// Output is what one build or copy puts into a layout.
type Output struct {
	// Index is the image, or Image when no index has it; both are nil when
	// only referrers are added.
	Index v1.ImageIndex
	Image v1.Image
	// Tags name the image, instead of what they named before.
	Tags []string
	// Referrers are manifests with a subject: untagged entries. Indexes are
	// those that are indexes themselves.
	Referrers []v1.Image
	Indexes   []v1.ImageIndex
	// Evidence returns what a tag that older tools look for, such as
	// sha256-<hex>.sig, shall name, given what it names; nil is nothing.
	Evidence map[string]func(existing v1.Image) (v1.Image, error)
	// Replace drops other referrers of the same subject and artifact type.
	Replace bool
}

// Write puts o into the layout and removes what no entry reaches any more,
// untagged referrers of removed subjects included. A file that is there and
// right is not touched; every other one appears by rename, index.json last, so
// that an interrupted Write leaves the old state. Writers wait for each other.
func (l *Layout) Write(ctx context.Context, o Output) error {
	if err := l.write(ctx, o); err != nil {
		return l.writeError(err)
	}
	return nil
}

func (l *Layout) write(ctx context.Context, o Output) error {
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
	all := descriptors(l.alive(l.merge(old.Manifests, added, o.Replace)))
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
	d, ok, err := l.writeArtifact(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, tag := range o.Tags {
		if ok {
			added = append(added, named(d, tag))
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
	for _, r := range o.Indexes {
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
	evidence, err := l.writeEvidence(ctx, o)
	return append(added, evidence...), err
}

func (l *Layout) writeArtifact(ctx context.Context, o Output) (d v1.Descriptor, ok bool, err error) {
	switch {
	case o.Index != nil:
		d, err = l.writeIndex(ctx, o.Index, 0)
	case o.Image != nil:
		d, err = l.writeImage(ctx, o.Image)
	default:
		return v1.Descriptor{}, false, nil
	}
	return d, true, err
}

func named(d v1.Descriptor, tag string) entry {
	d.Annotations = map[string]string{refName: tag}
	return entry{d, evidenceSubject(tag)}
}

// referrer returns the entry of a manifest that was written.
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

func (l *Layout) writeEvidence(ctx context.Context, o Output) ([]entry, error) {
	var added []entry
	for _, tag := range slices.Sorted(maps.Keys(o.Evidence)) {
		existing, err := l.evidence(tag)
		if err != nil {
			return nil, err
		}
		img, err := o.Evidence[tag](existing)
		if err != nil {
			return nil, fmt.Errorf("tag %s: %w", tag, err)
		}
		d, err := l.writeImage(ctx, img)
		if err != nil {
			return nil, err
		}
		added = append(added, named(d, tag))
	}
	return added, nil
}

func (l *Layout) writeIndex(ctx context.Context, idx v1.ImageIndex, depth int) (v1.Descriptor, error) {
	if depth > maxNesting {
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

// writeBlob writes a blob unless it is there, and refuses other content.
func (l *Layout) writeBlob(d v1.Descriptor, open func() (io.ReadCloser, error)) error {
	if l.verify(d) == nil {
		return nil
	}
	path, err := l.blobPath(d.Digest)
	if err != nil {
		return err
	}
	r, err := open()
	if err != nil {
		return err
	}
	defer r.Close()
	return l.replace(path, io.LimitReader(r, d.Size+1), func(f *os.File) error { return l.verifyFile(d, f) })
}

// replace writes a file under a temporary name and renames it when check finds
// it right. The copy of a file is left to the operating system, which may share
// its blocks.
func (l *Layout) replace(path string, r io.Reader, check func(*os.File) error) (err error) {
	f, err := os.CreateTemp(l.dir, temporary)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name()) //nolint:errcheck // the first error is the one that counts
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
