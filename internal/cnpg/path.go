package cnpg

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// NormalizePath returns an entry of a path list in the operator's form: relative
// to the image, without "./" and doubled slashes. Empty paths and paths that
// leave the image are errors (validateExtensions in the webhook, which treats
// every path that starts with ".." as leaving). Three kinds of paths that the
// operator accepts are errors too: paths with a ".." that stays inside the image,
// the root of the image, and paths with a character that separates or quotes
// entries of a joined list.
func NormalizePath(p string) (string, error) {
	if p == "" {
		return "", errors.New("is empty")
	}
	clean := strings.TrimPrefix(path.Clean("/"+p), "/")
	switch {
	case slices.Contains(strings.Split(p, "/"), ".."):
		return "", fmt.Errorf("%q leaves the image", p)
	case strings.ContainsAny(p, ":,'\x00\n"):
		return "", fmt.Errorf("%q contains a character that separates or quotes entries of a path list", p)
	case clean == "":
		return "", fmt.Errorf("%q is the image's root", p)
	case strings.HasPrefix(clean, ".."):
		return "", fmt.Errorf("%q starts with two dots, which CloudNativePG refuses", p)
	}
	return clean, nil
}

// Defaults of the path lists of an extension (getRuntimeExtensionControlPath and
// getDynamicLibraryPath in pkg/postgres/configuration.go). The other lists have
// no default.
const (
	ControlPath = "share"
	LibraryPath = "lib"
)

// Mounted returns the absolute, clean path of an entry of a path list in the
// server's file system.
func Mounted(extension, p string) string { return path.Join(MountPath(extension), p) }
