package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/registry"
)

// hostPattern is a reference whose first part can only be a host: it has a
// dot or a port, or is localhost.
var hostPattern = regexp.MustCompile(`^(localhost|[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+|[a-zA-Z0-9.-]+:[0-9]+|\[[0-9a-fA-F:]+\](:[0-9]+)?)/[a-z0-9]`)

func namesHost(ref string) bool { return hostPattern.MatchString(ref) }

// openImage finds IMAGE where it is.
func (a *app) openImage(ctx context.Context, arg string) (image.Artifact, error) {
	at, err := a.parseImage(arg)
	if err != nil {
		return image.Artifact{}, err
	}
	if at.Layout != "" {
		return image.At(at.Layout).Open(at.ref())
	}
	r, err := a.registryClient().Resolve(ctx, arg)
	if err != nil {
		return image.Artifact{}, err
	}
	if r.Index != nil {
		return image.FromIndex(r.Index)
	}
	return image.FromImage(r.Image)
}

// noImageError is about an argument that names nothing on disk and no registry:
// a slip in a path is not a question for somebody else's server.
type noImageError struct {
	ref string
	// there tells that it is a path of something else.
	there bool
}

func newNoImageError(ref string) error {
	_, err := os.Stat(ref)
	return &noImageError{ref, err == nil}
}

func (e *noImageError) Error() string {
	if e.there {
		return e.ref + ": is no OCI image layout"
	}
	return fmt.Sprintf("%s: there is no such path, and no HOST in it to ask", e.ref)
}

// Hint shows the forms.
func (*noImageError) Hint() string {
	return "IMAGE is HOST/NAME[:TAG][@DIGEST], such as docker.io/library/postgres:18, oci:PATH[:TAG], or the path of a layout"
}

// isImage tells whether an argument names an image rather than a recipe: a
// layout, oci:PATH, or HOST/NAME where nothing of that name is on disk.
func isImage(arg string) bool {
	if _, err := os.Stat(arg); err == nil {
		return image.Exists(arg) || image.Exists(filepath.Join(arg, "oci"))
	} else if !errors.Is(err, os.ErrNotExist) && filepath.IsAbs(arg) {
		return false
	}
	if _, local := image.ParseRef(arg); local {
		return true
	}
	return namesHost(arg)
}

// endpoint is SRC or DST.
type endpoint struct {
	location.Location
	tag, digest string
}

// ref is what to look for in SRC.
func (p endpoint) ref() string {
	if p.digest != "" {
		return p.digest
	}
	return p.tag
}

// orLatest is ref; in a registry, the tag latest where none is named.
func (p endpoint) orLatest() string {
	if ref := p.ref(); ref != "" || p.Layout != "" {
		return ref
	}
	return "latest"
}

// parseImage reads IMAGE, in a layout or in a registry.
func (a *app) parseImage(arg string) (endpoint, error) {
	if _, local := image.ParseRef(arg); !local && !namesHost(arg) {
		return endpoint{}, newNoImageError(arg)
	}
	return a.parsePlace("reading", arg)
}

// parsePlace reads an argument; doing is what is done with it.
func (a *app) parsePlace(doing, arg string) (endpoint, error) {
	if local, ok := image.ParseRef(arg); ok {
		p := endpoint{Location: location.Location{Layout: local.Dir}, tag: local.Name}
		if strings.HasPrefix(local.Name, "sha256:") {
			p.tag, p.digest = "", local.Name
		}
		return p, nil
	}
	if !namesHost(arg) {
		return endpoint{}, &noPlaceError{arg}
	}
	if a.global.offline {
		return endpoint{}, fmt.Errorf("%s %s: %w", doing, arg, &fetch.OfflineError{Name: arg})
	}
	name, rest := registry.Split(arg)
	tag, digest, _ := strings.Cut(rest, "@")
	p := endpoint{Location: location.Location{Repository: name}, tag: strings.TrimPrefix(tag, ":"), digest: digest}
	return p, registry.CheckRepository(name)
}

// noPlaceError is about an argument of copy that is neither of its forms.
type noPlaceError struct{ arg string }

func (e *noPlaceError) Error() string { return e.arg + ": there is no HOST in it, and no layout" }

// Hint shows the forms.
func (*noPlaceError) Hint() string {
	return "SRC and DST are HOST/NAME[:TAG], such as registry.example.com/pgvector:0.8.1-18-trixie, or oci:PATH[:TAG]"
}

// tagPattern is the grammar of the OCI distribution specification.
var tagPattern = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

// imageRepository is where the tags of an image are: HOST/NAME, or a layout.
type imageRepository struct{ remote, layout string }

func remoteRepository(name string) imageRepository { return imageRepository{remote: name} }

// repositoryOf is the one of an image's reference.
func repositoryOf(ref string) imageRepository {
	if local, ok := image.ParseRef(ref); ok {
		return imageRepository{layout: local.Dir}
	}
	name, _ := registry.Split(ref)
	return remoteRepository(name)
}

func (r imageRepository) String() string { return cmp.Or(r.remote, r.layout) }

// at is the reference of one of its images.
func (r imageRepository) at(tag string) string {
	if r.layout != "" {
		return "oci:" + r.layout + ":" + tag
	}
	return r.remote + ":" + tag
}

func (r imageRepository) tags(ctx context.Context, a *app) ([]string, error) {
	if r.layout != "" {
		entries, err := image.At(r.layout).Entries()
		var tags []string
		for _, e := range entries {
			tags = append(tags, e.Annotations["org.opencontainers.image.ref.name"])
		}
		return tags, err
	}
	if a.global.offline {
		return nil, &fetch.OfflineError{Name: r.remote}
	}
	return a.registryClient().Tags(ctx, r.remote)
}

// repository is where an image goes below REPO.
func repository(repo, name string) string {
	return strings.TrimSuffix(repo, "/") + "/" + name
}

// storedImages returns the images that an argument names: all of a folder of
// layouts, all of a layout, or one.
func storedImages(arg string) ([]location.Stored, error) {
	ref, ok := image.ParseRef(arg)
	if !ok {
		return nil, &noLayoutError{arg}
	}
	if !image.Exists(ref.Dir) {
		all, err := location.Dist(ref.Dir)
		if err == nil && len(all) == 0 {
			err = &noLayoutError{arg}
		}
		return all, err
	}
	dir, err := filepath.Abs(ref.Dir)
	if err != nil {
		return nil, err
	}
	if filepath.Base(dir) == "oci" {
		dir = filepath.Dir(dir)
	}
	all, err := location.Images(filepath.Base(dir), ref.Dir)
	if err != nil || ref.Name == "" {
		return all, err
	}
	for _, i := range all {
		if i.Digest == ref.Name {
			return []location.Stored{i}, nil
		}
		if slices.Contains(i.Tags, ref.Name) {
			i.Tags = []string{ref.Name}
			return []location.Stored{i}, nil
		}
	}
	_, err = image.At(ref.Dir).Find(ref.Name)
	return nil, err
}

// noLayoutError is about a folder without images.
type noLayoutError struct{ path string }

func (e *noLayoutError) Error() string { return e.path + ": there is no image in it" }

// Hint says where images come from.
func (*noLayoutError) Hint() string { return "pgext build puts images into dist" }
