package sbom

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/license"
)

// normal returns the document with its lists in order, references to licences
// under names that mean one text each, and what is wrong with it as an error.
func (d Document) normal() (Document, error) {
	fail := func(err error) (Document, error) {
		return Document{}, fmt.Errorf("making a bill of materials for %s: %w", d.Image.Name, err)
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
			return fail(fmt.Errorf("package %s appears twice", p.Name))
		}
		kinds[p.Name] = p.Kind
		if err := p.check(); err != nil {
			return fail(fmt.Errorf("package %q: %w", p.Name, err))
		}
		d.Packages[i].License = settled(p.License)
	}
	if err := d.checkPaths(kinds); err != nil {
		return fail(err)
	}
	return d, nil
}

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
		return fmt.Errorf("%q is no SHA-256 digest of a manifest", i.Digest)
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
		return fmt.Errorf("%q is no SHA-256 digest", p.SHA256)
	case p.License.Expression == "":
		return fmt.Errorf("nothing is said about its licence")
	}
	return license.Valid(p.License.Expression)
}

// checkPaths holds that every path appears once and has an owner that exists.
func (d Document) checkPaths(kinds map[string]Kind) error {
	seen := map[string]bool{}
	one := func(path, owner string) error {
		kind, known := kinds[owner]
		switch {
		case !fs.ValidPath(path) || path == ".":
			return fmt.Errorf("%q is no path", path)
		case seen[path]:
			return fmt.Errorf("%s appears twice", path)
		case owner != "" && !known:
			return fmt.Errorf("%s: its package %s is not among the packages", path, owner)
		case owner != "" && kind == Upstream:
			return fmt.Errorf("%s: %s is an archive of sources: files are made from it, not contained in it", path, owner)
		}
		seen[path] = true
		return nil
	}
	for _, f := range d.Files {
		if err := one(f.Path, f.Package); err != nil {
			return err
		}
		_, known := kinds[f.From]
		switch {
		case !digest.IsSHA256(f.SHA256) || !digest.IsSHA1(f.SHA1):
			return fmt.Errorf("%s: %q and %q are not its SHA-256 and SHA-1", f.Path, f.SHA256, f.SHA1)
		case f.From != "" && (f.Package != "" || !known):
			return fmt.Errorf("%s: it cannot be of package %q and made from %q", f.Path, f.Package, f.From)
		}
	}
	for _, l := range d.Links {
		if err := one(l.Path, l.Package); err != nil {
			return err
		}
	}
	return nil
}
