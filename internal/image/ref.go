package image

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pgext/pgext/internal/digest"
)

// Ref names an image in a layout.
type Ref struct {
	// Dir is the layout's folder.
	Dir string
	// Name is a tag or digest; "" means the only image there is.
	Name string
}

var tagPattern = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

// ParseRef reads oci:PATH, oci:PATH:TAG, oci:PATH@sha256:HEX, or the path of an
// existing layout, or of a folder that holds one named oci. It reports false
// for anything else, which then names an image in a registry.
func ParseRef(s string) (Ref, bool) {
	rest, ok := strings.CutPrefix(s, "oci:")
	if !ok {
		dir, ok := layoutAt(s)
		return Ref{Dir: dir}, ok
	}
	r := Ref{Dir: rest}
	if i := strings.LastIndexByte(rest, '@'); i > 0 && digest.IsNamed(rest[i+1:]) {
		r = Ref{Dir: rest[:i], Name: rest[i+1:]}
		rest = r.Dir
	}
	// A path may hold colons; what follows the last one is a tag unless the
	// whole is a layout's path.
	if i := strings.LastIndexByte(rest, ':'); i > 0 && tagPattern.MatchString(rest[i+1:]) && !Exists(rest) {
		r.Dir = rest[:i]
		if r.Name == "" {
			r.Name = rest[i+1:]
		}
	}
	if dir, ok := layoutAt(r.Dir); ok {
		r.Dir = dir
	}
	return r, r.Dir != ""
}

// layoutAt returns path when it is a layout, or the folder oci in it.
func layoutAt(path string) (string, bool) {
	if path == "" {
		return "", false
	}
	for _, dir := range []string{path, filepath.Join(path, "oci")} {
		if Exists(dir) {
			return dir, true
		}
	}
	info, err := os.Stat(path)
	return path, err == nil && info.IsDir()
}
