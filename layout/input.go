package layout

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/lock"
)

// check returns an error if the input is inconsistent. Otherwise it returns the
// packages in order of precedence: packages with the role Extension first, then by
// name.
func (in Input) check() ([]Package, error) {
	if in.Name == "" || strings.Contains(in.Name, "/") {
		return nil, fmt.Errorf("arranging an image: invalid name %q", in.Name)
	}
	packages := slices.Clone(in.Packages)
	slices.SortStableFunc(packages, func(a, b Package) int {
		if own := (a.Role == lock.Extension); own != (b.Role == lock.Extension) {
			if own {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	names := map[string]bool{}
	for _, p := range packages {
		if names[p.Name] {
			return nil, fmt.Errorf("arranging %s: duplicate package %s", in.Name, p.Name)
		}
		if p.Role == "" {
			return nil, fmt.Errorf("arranging %s: package %s has no role", in.Name, p.Name)
		}
		names[p.Name] = true
	}
	for _, l := range in.Libraries {
		if !names[l.Package] {
			return nil, fmt.Errorf("arranging %s: library %s: package %s is not among the packages", in.Name, l.Path, l.Package)
		}
		if !fs.ValidPath(l.SONAME) || strings.Contains(l.SONAME, "/") || l.SONAME == "." {
			return nil, fmt.Errorf("arranging %s: library %s: SONAME %q is not a file name", in.Name, l.Path, l.SONAME)
		}
	}
	for _, d := range in.Data {
		if !names[d.Package] {
			return nil, fmt.Errorf("arranging %s: data of package %s: it is not among the packages", in.Name, d.Package)
		}
		if !fs.ValidPath(d.From) || !fs.ValidPath(d.To) || d.To == "." {
			return nil, fmt.Errorf("arranging %s: data of package %s: %q to %q: not paths relative to the root", in.Name, d.Package, d.From, d.To)
		}
	}
	return packages, nil
}

// Wants reports whether Arrange may read or place the file at path of a package,
// so that the file must have a Content. For a package with the role Extension the
// result depends on Postgres and Bitcode only, for other packages also on Data and
// Libraries.
func (in Input) Wants(pkg string, role lock.Role, path string) bool {
	if isCopyright(path) {
		return true
	}
	for _, d := range in.Data {
		if _, ok := below(path, d.From); ok && d.Package == pkg {
			return true
		}
	}
	for _, l := range in.Libraries {
		if l.Package == pkg && l.Path == path {
			return true
		}
	}
	return role == lock.Extension && !in.route(path).never
}

// below returns path relative to dir, "" for dir itself, and false if path is not
// below dir.
func below(path, dir string) (string, bool) {
	if dir == "." {
		return path, true
	}
	rest, ok := strings.CutPrefix(path, dir)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}
