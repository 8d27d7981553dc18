package cnpg

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// NormalizePath returns an entry of a path list as the operator reads it:
// relative, no "./", no doubled slashes. Empty ones and those that leave the
// image are errors (validateExtensions in the webhook, which takes whatever
// begins with ".." for leaving). So are three that the operator takes: one that
// goes up and comes back, the image's root, and one with a character that would
// end the entry where lists are joined.
func NormalizePath(p string) (string, error) {
	if p == "" {
		return "", errors.New("is empty")
	}
	clean := strings.TrimPrefix(path.Clean("/"+p), "/")
	switch {
	case slices.Contains(strings.Split(p, "/"), ".."):
		return "", fmt.Errorf("%q leaves the image", p)
	case strings.ContainsAny(p, ":,'\x00\n"):
		return "", fmt.Errorf("%q holds a character that separates or ends a path list", p)
	case clean == "":
		return "", fmt.Errorf("%q is the image's root", p)
	case strings.HasPrefix(clean, ".."):
		return "", fmt.Errorf("%q begins with two dots, which CloudNativePG refuses", p)
	}
	return clean, nil
}

// The folders of an extension whose own lists are empty
// (getRuntimeExtensionControlPath and getDynamicLibraryPath in
// pkg/postgres/configuration.go). The other lists have no default.
const (
	ControlPath = "share"
	LibraryPath = "lib"
)

// Mounted returns an entry of a path list as the server sees it, which the
// operator cleans.
func Mounted(extension, p string) string { return path.Join(MountPath(extension), p) }
