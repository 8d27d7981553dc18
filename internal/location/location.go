package location

import (
	"context"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/registry"
)

// Registry reads from registries and publishes to them.
type Registry interface {
	Check(ctx context.Context, repo string, p registry.Publication) error
	Push(ctx context.Context, repo string, p registry.Publication) (v1.Hash, error)
	Digest(ctx context.Context, ref string) (v1.Hash, error)
	Resolve(ctx context.Context, ref string) (oci.Set, error)
	Collect(ctx context.Context, ref string) (oci.Set, error)
	Tags(ctx context.Context, repo string) ([]string, error)
}

// Open returns the image at ref without its attachments. A folder that contains
// layouts stands for its only image.
func Open(ctx context.Context, m Registry, ref oci.Ref) (oci.Set, error) {
	if ref.Layout == "" {
		return m.Resolve(ctx, ref.String())
	}
	ref, err := Only(ref)
	if err != nil {
		return oci.Set{}, err
	}
	return image.At(ref.Layout).Open(ref.Identifier())
}

// Collect returns the image at ref with everything attached to it. A folder that
// contains layouts stands for its only image.
func Collect(ctx context.Context, m Registry, ref oci.Ref) (oci.Set, error) {
	if ref.Layout == "" {
		return m.Collect(ctx, ref.With(ref.Identifier()).String())
	}
	ref, err := Only(ref)
	if err != nil {
		return oci.Set{}, err
	}
	return image.At(ref.Layout).Collect(ref.Identifier())
}

// Only returns ref with the layout of the only image in place of a folder that
// contains layouts; tag and digest stay. Other references are returned unchanged.
func Only(ref oci.Ref) (oci.Ref, error) {
	if ref.Layout == "" || oci.IsLayout(ref.Layout) {
		return ref, nil
	}
	all, err := Dist(ref.Layout)
	if err != nil || len(all) == 0 {
		return ref, nil //nolint:nilerr // opening the layout reports the error
	}
	if len(all) == 1 {
		ref.Layout = all[0].Path
		return ref, nil
	}
	var refs []oci.Ref
	for _, i := range all {
		refs = append(refs, oci.Ref{Layout: i.Path, Tag: i.Tags[0]})
	}
	return oci.Ref{}, oci.NotOne(ref.Layout, "", refs)
}

// Stored is an image in a layout or a repository with its tags.
type Stored struct {
	// Name is the name of the image below an output folder or a registry; ""
	// for an image in a repository.
	Name string
	// Path is the layout, "" for a repository. Digest is "sha256:" and
	// hexadecimal digits.
	Path, Digest string
	// Tags are those that name the image, or that it gets.
	Tags []string
}

// Ref returns the reference of an image in a layout, by digest.
func (s Stored) Ref() oci.Ref { return oci.Ref{Layout: s.Path, Digest: s.Digest} }

// TagsIn returns the images with a tag in a layout or repository, each with all its
// tags.
func TagsIn(ctx context.Context, m Registry, from oci.Ref) ([]Stored, error) {
	if from.Layout != "" {
		return Images("", from.Layout)
	}
	tags, err := m.Tags(ctx, from.Repository)
	if err != nil {
		return nil, err
	}
	var out []Stored
	for _, tag := range tags {
		if strings.HasPrefix(tag, "sha256-") {
			continue // fallback and legacy tags are copied with their images
		}
		digest, err := m.Digest(ctx, from.With(tag).String())
		if err != nil {
			return nil, err
		}
		out = addTag(out, Stored{Digest: digest.String()}, tag)
	}
	return out, nil
}

// addTag adds a tag to the image in all with the digest of s, or adds s with it.
func addTag(all []Stored, s Stored, tag string) []Stored {
	for i := range all {
		if all[i].Digest == s.Digest {
			all[i].Tags = append(all[i].Tags, tag)
			return all
		}
	}
	s.Tags = []string{tag}
	return append(all, s)
}

// Dist returns the images with a tag in the layouts DIR/NAME/oci, sorted by name
// and tag.
func Dist(dir string) ([]Stored, error) {
	paths, err := oci.Layouts(dir)
	if err != nil {
		return nil, err
	}
	var out []Stored
	for _, path := range paths {
		name, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return nil, err
		}
		images, err := Images(filepath.ToSlash(name), path)
		if err != nil {
			return nil, err
		}
		out = append(out, images...)
	}
	return out, nil
}

// Images returns the images with a tag in one layout, each with all its tags.
func Images(name, path string) ([]Stored, error) {
	tags, err := image.At(path).Tags()
	if err != nil {
		return nil, err
	}
	var out []Stored
	for _, t := range tags {
		out = addTag(out, Stored{Name: name, Path: path, Digest: t.Digest.String()}, t.Name)
	}
	return out, nil
}

// All returns the images that ref names: those of a folder of layouts, those of a
// layout, or one. It fails if there is none.
func All(ref oci.Ref) ([]Stored, error) {
	if !oci.IsLayout(ref.Layout) {
		all, err := Dist(ref.Layout)
		if err == nil && len(all) == 0 {
			err = oci.NotOne(ref.Layout, "", nil)
		}
		return all, err
	}
	dir, err := filepath.Abs(ref.Layout)
	if err != nil {
		return nil, err
	}
	if filepath.Base(dir) == "oci" {
		dir = filepath.Dir(dir)
	}
	all, err := Images(strings.TrimSuffix(filepath.Base(dir), ".tar"), ref.Layout)
	if err != nil || ref.Identifier() == "" {
		return all, err
	}
	d, err := image.At(ref.Layout).Find(ref.Identifier())
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		if i.Digest == d.Digest.String() {
			if ref.Digest == "" {
				i.Tags = []string{ref.Tag}
			}
			return []Stored{i}, nil
		}
	}
	return nil, oci.NotOne(ref.Layout, ref.Identifier(), nil)
}
