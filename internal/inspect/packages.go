package inspect

import (
	"bufio"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/layout"
)

// readPackages reads the package database of images without dpkg: a control
// paragraph and a list of MD5 digests for each package, as in distroless images.
func (x *inspector) readPackages() {
	x.Owner = map[string]string{}
	for e := range x.Tree.Under(strings.TrimSuffix(layout.DatabaseDir, "/")).All() {
		if e.Kind != filetree.File || path.Ext(e.Path) == ".md5sums" {
			continue
		}
		text, _ := x.files.Text(x.Tree, e.Path)
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
		pkg := layout.Installed{Package: name, Version: p.Get("Version"), Arch: p.Get("Architecture"), Source: source}
		x.readSums(&pkg, e.Path+".md5sums")
		x.Packages = append(x.Packages, pkg)
	}
	slices.SortFunc(x.Packages, func(a, b layout.Installed) int { return strings.Compare(a.Package, b.Package) })
	if x.Distro == "" {
		x.Distro = x.codename()
	}
}

// readSums reads the list of a package's files, whose paths may start with a slash
// or "./", and sets Files, Size and Owner.
func (x *inspector) readSums(pkg *layout.Installed, file string) {
	text, _ := x.files.Text(x.Tree, file)
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

// codename returns VERSION_CODENAME of os-release(5).
func (x *inspector) codename() string {
	text, _ := x.files.Text(x.Tree, layout.OSRelease)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return strings.Trim(value, `"'`)
		}
	}
	return ""
}

// version returns the version of a package of the image, "" if there is none.
func (x *inspector) version(name string) string {
	i, ok := slices.BinarySearchFunc(x.Packages, name, func(p layout.Installed, n string) int { return strings.Compare(p.Package, n) })
	if !ok {
		return ""
	}
	return x.Packages[i].Version
}
