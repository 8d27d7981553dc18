package location

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/registry"
)

// Location is an OCI layout or a repository; exactly one field is set.
type Location struct {
	// Layout is a folder.
	Layout string
	// Repository is HOST/NAME.
	Repository string
}

func (l Location) String() string {
	if l.Layout != "" {
		return "oci:" + l.Layout
	}
	return l.Repository
}

// Registry reads from registries and publishes to them.
type Registry interface {
	Check(ctx context.Context, repo string, p registry.Publication) error
	Push(ctx context.Context, repo string, p registry.Publication) (v1.Hash, error)
	Resolve(ctx context.Context, ref string) (registry.Resolved, error)
	Collect(ctx context.Context, ref string) (registry.Collection, error)
	Tags(ctx context.Context, repo string) ([]string, error)
}

// Collect reads an image with everything attached to it, and the digests of
// referrers that a list names and the registry lacks.
func Collect(ctx context.Context, m Registry, from Location, ref string) (image.Collection, []string, error) {
	if from.Layout != "" {
		c, err := image.At(from.Layout).Collect(ref)
		return c, nil, err
	}
	r, err := m.Collect(ctx, registry.Reference(from.Repository, ref))
	if err != nil {
		return image.Collection{}, nil, err
	}
	var missing []string
	for _, h := range r.Missing {
		missing = append(missing, h.String())
	}
	return image.Collection{
		Artifact: image.Artifact{Digest: r.Digest, Index: r.Index}, Image: r.Image,
		Referrers: r.Referrers, Indexes: r.Indexes, Evidence: r.Evidence,
	}, missing, nil
}

// TagsIn returns the images with a tag in a place, each with all its tags. Their
// Name and Path are empty where it is a registry.
func TagsIn(ctx context.Context, m Registry, from Location) ([]Stored, error) {
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
			continue // lists of referrers, and evidence: they come with their images
		}
		r, err := m.Resolve(ctx, registry.Reference(from.Repository, tag))
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(out, func(s Stored) bool { return s.Digest == r.Digest.String() })
		if i < 0 {
			i = len(out)
			out = append(out, Stored{Digest: r.Digest.String()})
		}
		out[i].Tags = append(out[i].Tags, tag)
	}
	return out, nil
}

// Stored is an image in a layout.
type Stored struct {
	// Name is what its repository is called below another one.
	Name string
	// Path is the layout, Digest the image in it, "sha256:" and hex.
	Path, Digest string
	// Tags name it, in the layout or from now on.
	Tags []string
}

// Dist returns the images with a tag in the layouts DIR/<name>/oci, in the order
// of their names and tags.
func Dist(dir string) ([]Stored, error) {
	var out []Stored
	root, err := filepath.EvalSymlinks(dir) // WalkDir does not follow a link
	if err != nil {
		return nil, fmt.Errorf("looking for layouts in %s: %w", dir, err)
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || d.Name() != "oci" || !image.Exists(path) {
			return err
		}
		name, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		images, err := Images(filepath.ToSlash(name), path)
		if err != nil {
			return err
		}
		out = append(out, images...)
		return fs.SkipDir
	})
	if err != nil {
		return nil, fmt.Errorf("looking for layouts in %s: %w", dir, err)
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
	at := map[v1.Hash]int{}
	for _, t := range tags {
		i, ok := at[t.Digest]
		if !ok {
			i = len(out)
			at[t.Digest] = i
			out = append(out, Stored{Name: name, Path: path, Digest: t.Digest.String()})
		}
		out[i].Tags = append(out[i].Tags, t.Name)
	}
	return out, nil
}
