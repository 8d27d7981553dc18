package inspect

import (
	"bufio"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/filetree"
)

// readPackages reads the database that images without dpkg carry: for each
// package a paragraph and the digests of its files (as distroless has it).
func (x *examination) readPackages() {
	x.Owner = map[string]string{}
	for e := range x.Tree.Under(strings.TrimSuffix(databaseDir, "/")).All() {
		if e.Kind != filetree.File || path.Ext(e.Path) == ".md5sums" {
			continue
		}
		text, _ := x.textAt(e.Path)
		scanner := debian.NewScanner(strings.NewReader(text))
		if !scanner.Scan() {
			continue
		}
		p := scanner.Paragraph()
		name := p.Get("Package")
		if name == "" {
			continue
		}
		source, _ := debian.SplitSource(p.Get("Source"), name, p.Get("Version"))
		pkg := Package{Package: name, Version: p.Get("Version"), Arch: p.Get("Architecture"), Source: source}
		x.readSums(&pkg, e.Path+".md5sums")
		x.Packages = append(x.Packages, pkg)
	}
	slices.SortFunc(x.Packages, func(a, b Package) int { return strings.Compare(a.Package, b.Package) })
	if x.Distro == "" {
		x.Distro = x.codename()
	}
}

// readSums counts the files of a package. Paths may start with a slash or "./".
func (x *examination) readSums(pkg *Package, file string) {
	text, _ := x.textAt(file)
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		_, name, ok := strings.Cut(lines.Text(), " ")
		if !ok {
			continue
		}
		name = strings.TrimPrefix(path.Clean("/"+strings.TrimLeft(name, " *")), "/")
		e, ok := x.Tree.Get(name)
		if !ok {
			continue
		}
		if _, taken := x.Owner[name]; !taken {
			x.Owner[name] = pkg.Package
			pkg.Files++
			pkg.Size += e.Size
		}
	}
}

// codename is the suite that os-release names (os-release(5)).
func (x *examination) codename() string {
	text, _ := x.textAt(osRelease)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return strings.Trim(value, `"'`)
		}
	}
	return ""
}

// version returns the version of a package of the image.
func (x *examination) version(name string) string {
	i, ok := slices.BinarySearchFunc(x.Packages, name, func(p Package, n string) int { return strings.Compare(p.Package, n) })
	if !ok {
		return ""
	}
	return x.Packages[i].Version
}
