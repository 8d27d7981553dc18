package oci

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/failure"
)

// Ref names an image, or several, in an OCI image layout or a registry. One of
// Layout and Repository is set.
type Ref struct {
	// Layout is the path of a layout: a folder or a tar archive. It may also be
	// a folder with layouts in it, such as the output folder of a build.
	Layout string
	// Repository is HOST[:PORT]/NAME.
	Repository string
	// Tag and Digest name an image; both may be empty. A digest is "sha256:"
	// and 64 hexadecimal digits; it has precedence over the tag.
	Tag, Digest string
}

// Forms describes the arguments that ParseRef accepts.
const Forms = "HOST/NAME[:TAG][@DIGEST], oci:PATH[:TAG], or the path of an OCI image layout, of a tar archive with one, or of a folder with one image"

// ParseRef parses HOST/NAME[:TAG][@DIGEST], oci:PATH[:TAG][@DIGEST], or the path
// of an existing folder or tar archive. A folder IMAGE with a layout IMAGE/oci
// stands for that layout.
func ParseRef(s string) (Ref, error) {
	if rest, ok := strings.CutPrefix(s, "oci:"); ok && rest != "" {
		return parseLayout(rest), nil
	}
	info, err := os.Stat(s)
	switch {
	case err == nil && (info.IsDir() || IsLayout(s)):
		return Ref{Layout: layoutAt(s)}, nil
	case err == nil:
		return Ref{}, failure.New(failure.Other, "IMAGE is "+Forms, "%s is not an OCI image layout", s)
	case !hostPattern.MatchString(s):
		return Ref{}, failure.New(failure.Other, "IMAGE is "+Forms, "%s: no such file or folder, and not a registry reference: it does not begin with HOST/", s)
	}
	return parseRepository(s)
}

// hostPattern matches a reference whose first component can only be a host: it
// contains a dot or a port, or is localhost.
var hostPattern = regexp.MustCompile(`^(localhost|[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+|[a-zA-Z0-9.-]+:[0-9]+|\[[0-9a-fA-F:]+\](:[0-9]+)?)/[a-z0-9]`)

// tagPattern is the grammar of tags (OCI Distribution Specification, "Pulling
// Manifests").
var tagPattern = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

// IsTag reports whether s is a valid tag.
func IsTag(s string) bool { return tagPattern.MatchString(s) }

// parseLayout parses PATH[:TAG][@DIGEST]. A path may contain colons; the text
// after the last one is a tag unless the whole is the path of a layout.
func parseLayout(s string) Ref {
	r := Ref{Layout: s}
	if i := strings.LastIndexByte(s, '@'); i > 0 && digest.IsNamed(s[i+1:]) {
		r.Layout, r.Digest = s[:i], s[i+1:]
	}
	if i := strings.LastIndexByte(r.Layout, ':'); i > 0 && IsTag(r.Layout[i+1:]) && !IsLayout(r.Layout) {
		r.Layout, r.Tag = r.Layout[:i], r.Layout[i+1:]
	}
	r.Layout = layoutAt(r.Layout)
	return r
}

func parseRepository(s string) (Ref, error) {
	repository, dig, pinned := strings.Cut(s, "@")
	r := Ref{Repository: repository, Digest: dig}
	if i := strings.LastIndexByte(repository, ':'); i > strings.LastIndexByte(repository, '/') {
		r.Repository, r.Tag = repository[:i], repository[i+1:]
		if !IsTag(r.Tag) {
			return Ref{}, failure.New(failure.Registry, "a tag has up to 128 letters, digits, dots, underscores and dashes", "%s: invalid tag %q", s, r.Tag)
		}
	}
	if pinned && !digest.IsNamed(dig) {
		return Ref{}, failure.New(failure.Registry, "a digest is sha256: and 64 hexadecimal digits", "%s: invalid digest %q", s, dig)
	}
	return r, CheckRepository(r.Repository)
}

// CheckRepository returns an error unless repo is HOST[:PORT] or HOST[:PORT]/NAME,
// to which the name of an image can be appended.
func CheckRepository(repo string) error {
	const hint = "a repository is HOST[:PORT]/PATH in lower case, without a scheme: registry.example.com/extensions"
	if strings.Contains(repo, "://") {
		return failure.New(failure.Registry, hint, "%q is not a repository: it has a scheme", repo)
	}
	if _, err := name.NewRepository(strings.TrimSuffix(repo, "/")+"/image", name.StrictValidation); err != nil {
		return failure.New(failure.Registry, hint, "%q is not a repository: %w", repo, err)
	}
	return nil
}

// Identifier returns the digest or, if there is none, the tag. For a repository
// the default is "latest"; for a layout it is "", which means its only image.
func (r Ref) Identifier() string {
	switch {
	case r.Digest != "":
		return r.Digest
	case r.Tag == "" && r.Layout == "":
		return "latest"
	}
	return r.Tag
}

// Location returns r without tag and digest.
func (r Ref) Location() Ref { return Ref{Layout: r.Layout, Repository: r.Repository} }

// With returns the reference of another image of r's layout or repository, by tag
// or digest.
func (r Ref) With(identifier string) Ref {
	out := r.Location()
	if digest.IsNamed(identifier) {
		out.Digest = identifier
	} else {
		out.Tag = identifier
	}
	return out
}

// String returns a text that ParseRef parses.
func (r Ref) String() string {
	s := r.Repository
	if r.Layout != "" {
		s = "oci:" + r.Layout
	}
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}

// maxListed bounds the references in the hint of NotOne.
const maxListed = 10

// NotOne returns the error for a layout or folder at path that has no image
// named identifier or, if identifier is "", not exactly one image. refs are the
// images it has; the hint lists them as arguments.
func NotOne(path, identifier string, refs []Ref) error {
	hint := "build or copy an image into it first"
	if len(refs) > 0 {
		names := make([]string, 0, maxListed)
		for _, r := range refs[:min(len(refs), maxListed)] {
			names = append(names, r.String())
		}
		if len(refs) > maxListed {
			names = append(names, "…")
		}
		hint = "name one of these: " + strings.Join(names, ", ")
	}
	switch {
	case identifier != "":
		return failure.New(failure.Other, hint, "%s: no image %q", path, identifier)
	case len(refs) == 0:
		return failure.New(failure.Other, hint, "%s: no images", path)
	}
	return failure.New(failure.Other, hint, "%s: %d images, want one", path, len(refs))
}

// IsLayout reports whether path is an OCI image layout: a folder with the file
// oci-layout, or a file that is a tar archive, compressed or not.
func IsLayout(path string) bool {
	info, err := os.Stat(filepath.Join(path, "oci-layout"))
	if err == nil {
		return info.Mode().IsRegular()
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return false
	}
	format, err := ArchiveFormat(f)
	return err == nil && format != ""
}

// ArchiveFormat returns "tar", the name of a compression ("gzip", "xz", "zstd")
// or, for other files, "".
func ArchiveFormat(f io.ReaderAt) (string, error) {
	head := make([]byte, 262)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	head = head[:n]
	if len(head) == cap(head) && string(head[257:]) == "ustar" {
		return "tar", nil
	}
	if format := decompress.Detect(head); format != decompress.None {
		return format.String(), nil
	}
	return "", nil
}

// layoutAt returns path/oci if that is a layout and path is not, else path.
func layoutAt(path string) string {
	if inner := filepath.Join(path, "oci"); !IsLayout(path) && IsLayout(inner) {
		return inner
	}
	return path
}

// Layouts returns the paths of the layouts DIR/NAME/oci, sorted; NAME may have
// several components. The error of a folder that does not exist wraps
// fs.ErrNotExist.
func Layouts(dir string) ([]string, error) {
	root, err := filepath.EvalSymlinks(dir) // WalkDir does not follow a link
	if err != nil {
		return nil, fmt.Errorf("searching %s for layouts: %w", dir, err)
	}
	var out []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || d.Name() != "oci" || !IsLayout(path) {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		out = append(out, filepath.Join(dir, rel))
		return filepath.SkipDir
	})
	if err != nil {
		return nil, fmt.Errorf("searching %s for layouts: %w", dir, err)
	}
	return out, nil
}
