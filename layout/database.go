package layout

import (
	"crypto/md5" //nolint:gosec // the digest that dpkg's database is made of; nothing is trusted by it
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
)

// Places of the database from which scanners learn the packages of an image
// that has no dpkg: a control paragraph and a list of files for each package,
// and the distribution they are of.
const (
	databaseDir = "var/lib/dpkg/status.d/"
	osRelease   = "usr/lib/os-release"
)

// releases maps Debian's codenames to their VERSION_ID, from which scanners
// tell which advisories apply. Unstable has none.
var releases = map[string]string{"bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14"}

// VersionID returns the version of Debian that is called codename, as
// os-release(5) has it; "" for one that has none, such as sid.
func VersionID(codename string) string { return releases[codename] }

// DescribedBy returns the package that a generated file of an image is about;
// "" for a path that is none of the database's.
func DescribedBy(path string) string {
	name, ok := strings.CutPrefix(path, databaseDir)
	if !ok {
		return ""
	}
	return strings.TrimSuffix(name, ".md5sums")
}

// database adds to each layer what it must say about its packages; the
// distribution goes with the extension, which every image has.
func (a *arrangement) database(extension, libraries filetree.Tree) (ext, lib filetree.Tree, err error) {
	if ext, err = a.databaseOf(extension, true); err != nil {
		return ext, lib, fmt.Errorf("arranging %s: %w", a.in.Name, err)
	}
	if lib, err = a.databaseOf(libraries, false); err != nil {
		return ext, lib, fmt.Errorf("arranging %s: %w", a.in.Name, err)
	}
	return ext, lib, nil
}

func (a *arrangement) databaseOf(tree filetree.Tree, own bool) (filetree.Tree, error) {
	entries := slices.Collect(tree.All())
	for i := range a.packages {
		pkg := &a.packages[i]
		if (pkg.Role == Extension) != own {
			continue
		}
		sums, err := sumsOf(pkg, tree)
		if err != nil {
			return tree, err
		}
		if sums == "" {
			continue
		}
		entries = append(entries,
			generated(databaseDir+pkg.Name, pkg.Control.String()),
			generated(databaseDir+pkg.Name+".md5sums", sums))
	}
	if own && a.in.Distro != "" {
		entries = append(entries, generated(osRelease, osReleaseText(a.in.Distro)))
	}
	files := slices.DeleteFunc(entries, func(e filetree.Entry) bool { return e.Kind == filetree.Dir })
	return layer(files)
}

// sumsOf lists the files of the tree that pkg gave, as md5sum(1) does; "" when
// it gave none. Digests of unchanged files are the package's own.
func sumsOf(pkg *Package, tree filetree.Tree) (string, error) {
	known := map[string]string{}
	for line := range strings.Lines(pkg.Scripts["md5sums"]) {
		if sum, path, ok := strings.Cut(strings.TrimRight(line, "\n"), "  "); ok {
			known[path] = sum
		}
	}
	var b strings.Builder
	for e := range tree.All() {
		if e.Kind != filetree.File || e.Origin.Package != pkg.Name {
			continue
		}
		sum, ok := known[e.Origin.Path]
		source, _ := pkg.Tree.Get(e.Origin.Path)
		if !ok || source.SHA256 != e.SHA256 {
			var err error
			if sum, err = md5Of(e); err != nil {
				return "", err
			}
		}
		fmt.Fprintf(&b, "%s  %s\n", sum, e.Path)
	}
	return b.String(), nil
}

func md5Of(e filetree.Entry) (string, error) {
	r, err := e.Content.Open()
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", e.Path, err)
	}
	defer r.Close()
	h := md5.New() //nolint:gosec // see the import
	if _, err := io.Copy(h, r); err != nil {
		return "", fmt.Errorf("reading %s: %w", e.Path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// generated is a file that no package has. It has no time: the image gives it
// that of its layer.
func generated(path, text string) filetree.Entry {
	return filetree.Entry{Path: path, Kind: filetree.File, Mode: 0o644}.Holding([]byte(text))
}

// osReleaseText describes Debian's distro as os-release(5) has it.
func osReleaseText(distro string) string {
	text := "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_CODENAME=" + distro + "\n"
	if id, ok := releases[distro]; ok {
		text += fmt.Sprintf("VERSION_ID=%q\n", id)
	}
	return text
}
