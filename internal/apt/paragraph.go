package apt

import (
	"crypto/sha512"
	"fmt"
	"strconv"
	"strings"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/digest"
)

// FromControl returns the package that a control paragraph describes: of a .deb,
// of the dpkg database, or of an index without the fields of its file.
func FromControl(c debian.Paragraph) Package {
	field := func(name string) string { return oneLine(c.Get(name)) }
	p := Package{
		Name: field("Package"), Version: field("Version"), Arch: field("Architecture"),
		Section: field("Section"), Priority: field("Priority"), MultiArch: field("Multi-Arch"),
		Essential:  isYes(c.Get("Essential")),
		Protected:  isYes(c.Get("Protected")) || isYes(c.Get("Important")),
		PreDepends: field("Pre-Depends"), Depends: field("Depends"), Recommends: field("Recommends"),
		Suggests: field("Suggests"), Provides: field("Provides"), Conflicts: field("Conflicts"), Breaks: field("Breaks"),
	}
	p.Source, p.SourceVersion = debian.SplitSource(c.Get("Source"), p.Name, p.Version)
	return p
}

func isYes(value string) bool { return strings.EqualFold(value, "yes") }

// oneLine joins the lines of a folded value with spaces.
func oneLine(value string) string {
	if !strings.Contains(value, "\n") {
		return value
	}
	return strings.Join(strings.Fields(value), " ")
}

// fromIndex returns the package that a paragraph of a Packages file describes.
func fromIndex(c debian.Paragraph) (Package, error) {
	p := FromControl(c)
	if p.Name == "" || p.Version == "" || p.Arch == "" {
		return Package{}, fmt.Errorf("package %.80q has no name, version or architecture", p.Name)
	}
	p.Filename = c.Get("Filename")
	p.SHA256, p.SHA512 = strings.ToLower(c.Get("SHA256")), strings.ToLower(c.Get("SHA512"))
	if size := c.Get("Size"); size != "" {
		var err error
		if p.Size, err = strconv.ParseInt(size, 10, 64); err != nil || p.Size < 0 {
			return Package{}, fmt.Errorf("package %s: size %.40q is not a number", p.Name, size)
		}
	}
	if len(p.SHA256) != 0 && !digest.IsSHA256(p.SHA256) {
		return Package{}, fmt.Errorf("package %s: sha256 %.140q is not a digest", p.Name, p.SHA256)
	}
	if len(p.SHA512) != 0 && !digest.Is(p.SHA512, sha512.Size) {
		return Package{}, fmt.Errorf("package %s: sha512 %.140q is not a digest", p.Name, p.SHA512)
	}
	return p, nil
}
