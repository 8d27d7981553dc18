package sbom

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/license"
)

// normal checks the document and returns it with sorted lists and with licence
// references that have one text each.
func (d Document) normal() (Document, error) {
	fail := func(err error) (Document, error) {
		return Document{}, fmt.Errorf("writing the SBOM of %s: %w", d.Image.Name, err)
	}
	if err := d.Image.check(); err != nil {
		return fail(err)
	}
	d.Image.Created = d.Image.Created.UTC().Truncate(time.Second)
	d.Packages = sorted(d.Packages, func(p Package) string { return p.Name })
	d.Files = sorted(d.Files, func(f File) string { return f.Path })
	d.Links = sorted(d.Links, func(l Link) string { return l.Path })
	kinds := map[string]Kind{}
	for i, p := range d.Packages {
		if _, twice := kinds[p.Name]; twice {
			return fail(fmt.Errorf("duplicate package %s", p.Name))
		}
		kinds[p.Name] = p.Kind
		if err := p.check(); err != nil {
			return fail(fmt.Errorf("package %q: %w", p.Name, err))
		}
		d.Packages[i].License = withUniqueIDs(p.License)
	}
	if err := d.checkPaths(kinds); err != nil {
		return fail(err)
	}
	return d, nil
}

// sorted returns list sorted by key.
func sorted[T any](list []T, key func(T) string) []T {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	return out
}

func (i Image) check() error {
	switch {
	case i.Name == "" || i.Version == "" || i.Arch == "":
		return fmt.Errorf("an image needs a name, a version and an architecture; got %q, %q, %q", i.Name, i.Version, i.Arch)
	case !digest.IsNamed(i.Digest):
		return fmt.Errorf("digest of the manifest: %q is not a SHA-256 digest", i.Digest)
	case i.License != "":
		return license.Valid(i.License)
	}
	return nil
}

func (p Package) check() error {
	switch {
	case p.Name == "" || p.Version == "":
		return fmt.Errorf("a package needs a name and a version; got %q, %q", p.Name, p.Version)
	case p.SHA256 != "" && !digest.IsSHA256(p.SHA256):
		return fmt.Errorf("%q is not a SHA-256 digest", p.SHA256)
	case p.License.Expression == "":
		return errors.New("no licence")
	}
	return license.Valid(p.License.Expression)
}

// checkPaths checks that paths are valid and unique and that their packages exist.
func (d Document) checkPaths(kinds map[string]Kind) error {
	seen := map[string]bool{}
	check := func(path, owner string) error {
		kind, known := kinds[owner]
		switch {
		case !fs.ValidPath(path) || path == ".":
			return fmt.Errorf("invalid path %q", path)
		case seen[path]:
			return fmt.Errorf("duplicate path %s", path)
		case owner != "" && !known:
			return fmt.Errorf("%s: package %s is not in the document", path, owner)
		case owner != "" && kind == Upstream:
			return fmt.Errorf("%s: %s is a source archive: set From instead of Package", path, owner)
		}
		seen[path] = true
		return nil
	}
	for _, f := range d.Files {
		if err := check(f.Path, f.Package); err != nil {
			return err
		}
		_, known := kinds[f.From]
		switch {
		case !digest.IsSHA256(f.SHA256) || !digest.IsSHA1(f.SHA1):
			return fmt.Errorf("%s: %q and %q are not SHA-256 and SHA-1 digests", f.Path, f.SHA256, f.SHA1)
		case f.From != "" && !known:
			return fmt.Errorf("%s: package %s is not in the document", f.Path, f.From)
		case f.From != "" && f.Package != "":
			return fmt.Errorf("%s: both Package %s and From %s are set", f.Path, f.Package, f.From)
		}
	}
	for _, l := range d.Links {
		if err := check(l.Path, l.Package); err != nil {
			return err
		}
	}
	return nil
}
