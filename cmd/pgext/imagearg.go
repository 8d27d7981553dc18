package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/location"
	"github.com/pgext/pgext/internal/oci"
)

// openImage opens the image that an argument names, without its attachments.
func (a *app) openImage(ctx context.Context, arg string) (oci.Set, error) {
	ref, err := a.parseImage("reading", arg)
	if err != nil {
		return oci.Set{}, err
	}
	return location.Open(ctx, a.registryClient(), ref)
}

// parseImage parses an argument IMAGE. It fails for a registry if --offline is
// set; operation is a gerund for the error.
func (a *app) parseImage(operation, arg string) (oci.Ref, error) {
	ref, err := oci.ParseRef(arg)
	if err == nil && ref.Layout == "" && a.global.offline {
		return oci.Ref{}, fmt.Errorf("%s %s: %w", operation, arg, &fetch.OfflineError{Name: arg})
	}
	return ref, err
}

// isImage reports whether an argument names an image rather than a recipe:
// oci:PATH, a layout, a folder with layouts, or HOST/NAME if there is no such
// path.
func isImage(arg string) bool {
	ref, err := oci.ParseRef(arg)
	switch {
	case err != nil:
		return false
	case ref.Layout == "", strings.HasPrefix(arg, "oci:"), oci.IsLayout(ref.Layout):
		return true
	}
	layouts, err := filepath.Glob(filepath.Join(ref.Layout, "*", "oci", "oci-layout"))
	return err == nil && len(layouts) > 0
}

// tagsAt returns the tags of a layout or repository.
func (a *app) tagsAt(ctx context.Context, at oci.Ref) ([]string, error) {
	if at.Layout != "" {
		at, err := location.Only(at)
		if err != nil {
			return nil, err
		}
		all, err := image.At(at.Layout).Tags()
		var tags []string
		for _, t := range all {
			tags = append(tags, t.Name)
		}
		return tags, err
	}
	if a.global.offline {
		return nil, &fetch.OfflineError{Name: at.Repository}
	}
	return a.registryClient().Tags(ctx, at.Repository)
}

// repository returns the repository of an image below REPO.
func repository(repo, name string) string {
	return strings.TrimSuffix(repo, "/") + "/" + name
}
