package layout

import (
	"crypto/md5" //nolint:gosec // dpkg's database uses MD5; pgext does not rely on it for security
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
)

// Paths of the package database of an image without dpkg, which scanners read:
// DatabaseDir has a control paragraph and a list of files (.md5sums) for each
// package, OSRelease is the os-release(5) file of the distribution.
const (
	DatabaseDir = "var/lib/dpkg/status.d/"
	OSRelease   = "usr/lib/os-release"
)

// Installed is a package in the package database of an image. Files and Size, in
// bytes, count its files in the image.
type Installed struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
	Source  string `json:"source"`
	Files   int    `json:"files"`
	Size    int64  `json:"size"`
}

// releases maps Debian's codenames to VERSION_ID, by which scanners select the
// advisories. Unstable has none.
var releases = map[string]string{"bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14"}

// VersionID returns the version of a Debian release as in os-release(5), "" if it
// has none, such as sid.
func VersionID(codename string) string { return releases[codename] }

// DescribedBy returns the package that a file of the package database describes,
// "" for any other path.
func DescribedBy(path string) string {
	name, ok := strings.CutPrefix(path, DatabaseDir)
	if !ok {
		return ""
	}
	return strings.TrimSuffix(name, ".md5sums")
}

// database adds to each layer the database entries of its packages. OSRelease is in
// the extension layer, which every image has.
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
		if (pkg.Role == lock.Extension) != own {
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
			generated(DatabaseDir+pkg.Name, pkg.Control.String()),
			generated(DatabaseDir+pkg.Name+".md5sums", sums))
	}
	if own && a.in.Distro != "" {
		entries = append(entries, generated(OSRelease, osReleaseText(a.in.Distro)))
	}
	files := slices.DeleteFunc(entries, func(e filetree.Entry) bool { return e.Kind == filetree.Dir })
	return layer(files)
}

// sumsOf returns the files of pkg in the tree in the format of md5sum(1), "" if
// there are none. For unchanged files it uses the digests in the package.
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

// generated returns a file that is not in a package. It has no modification time;
// package image sets the time of the layer.
func generated(path, text string) filetree.Entry {
	return filetree.Entry{Path: path, Kind: filetree.File, Mode: 0o644}.Holding([]byte(text))
}

// osReleaseText returns the os-release(5) file of a Debian release.
func osReleaseText(distro string) string {
	text := "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_CODENAME=" + distro + "\n"
	if id, ok := releases[distro]; ok {
		text += fmt.Sprintf("VERSION_ID=%q\n", id)
	}
	return text
}
