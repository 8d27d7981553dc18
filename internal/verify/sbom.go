package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/anchore/packageurl-go"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/layout"
	"github.com/pgext/pgext/sbom"
)

// noSBOM is the detail of checks that need an SBOM.
const noSBOM = "there is no SBOM of this image"

// checkSBOM checks that the SPDX document describes this image and lists its
// files and packages. It returns nil if no document describes the image.
func (v *verifier) checkSBOM(i Image) *sbom.Inventory {
	inventory, err := findDocument(v, SPDX, i.Digest, "SBOM", readSPDX)
	if err != nil {
		v.failErr("sbom", err)
		v.skip("sbom files", noSBOM)
		v.skip("sbom packages", noSBOM)
		return nil
	}
	v.pass("sbom", "%d packages and %d files of %s", len(inventory.Packages), len(inventory.Files), i.Digest)
	if i.Damage != nil {
		v.skip("sbom files", "the layers cannot be read")
		v.skip("sbom packages", "the layers cannot be read")
		return inventory
	}
	v.compare("sbom files", fmt.Sprintf("lists all %d files and links with their digests", len(inventory.Files)+len(inventory.Links)),
		"the SBOM does not match the layers", fileFaults(i, *inventory))
	v.compare("sbom packages", "lists the packages of var/lib/dpkg/status.d",
		"the SBOM does not match the package database of the image", packageFaults(i, *inventory))
	return inventory
}

// fileFaults compares the SBOM with the files of the image by path.
func fileFaults(i Image, inv sbom.Inventory) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	packages := map[string]bool{"": true}
	for _, p := range inv.Packages {
		packages[p.Name] = true
	}
	listed := map[string]bool{}
	compare := func(o sbom.Owned, kind filetree.Kind) {
		listed[o.Path] = true
		e, ok := i.Tree.Get(o.Path)
		switch {
		case !ok:
			fault("%s: listed in the SBOM, missing in the image", o.Path)
		case e.Kind != kind:
			fault("%s: a %s in the image, a %s in the SBOM", o.Path, kinds[e.Kind], kinds[kind])
		case e.SHA256 != o.SHA256:
			fault("%s: SHA-256 is %s in the image, %s in the SBOM", o.Path, e.SHA256, orNone(o.SHA256))
		case e.Link != o.Target:
			fault("%s: link target is %s in the image, %s in the SBOM", o.Path, e.Link, orNone(o.Target))
		case o.Owners != 1 || !packages[o.Package]:
			fault("%s: the SBOM lists %d owners, want 1", o.Path, o.Owners)
		}
	}
	for _, o := range inv.Files {
		compare(o, filetree.File)
	}
	for _, o := range inv.Links {
		compare(o, filetree.Symlink)
	}
	for e := range i.Tree.All() {
		if e.Kind != filetree.Dir && !listed[e.Path] {
			fault("%s: in the image, not listed in the SBOM", e.Path)
		}
	}
	for _, path := range i.Special {
		fault("%s: a device, pipe or socket, which an SBOM cannot list", path)
	}
	for _, layer := range i.TrailingData {
		fault("layer %s: data follows the end of the archive", layer)
	}
	return faults
}

var kinds = map[filetree.Kind]string{filetree.File: "file", filetree.Dir: "directory", filetree.Symlink: "link"}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// upstream is the prefix of the package URLs of source archives, which are in no
// package database.
const upstream = "pkg:generic/"

// packageFaults compares the packages of the SBOM with the package database of
// the image.
func packageFaults(i Image, inv sbom.Inventory) []string {
	var faults []string
	inSBOM, installed, archs := map[string]string{}, map[string]string{}, map[string]string{}
	for _, p := range i.Packages {
		installed[p.Package], archs[p.Package] = p.Version, p.Arch
	}
	for _, p := range inv.Packages {
		if strings.HasPrefix(p.PURL, upstream) {
			continue
		}
		if _, repeated := inSBOM[p.Name]; repeated {
			faults = append(faults, p.Name+" is in the SBOM more than once")
		}
		inSBOM[p.Name] = p.Version
		if !purlMatches(p, archs[p.Name], distribution(i.Labels)) {
			faults = append(faults, fmt.Sprintf("%s %s: wrong package URL: %s", p.Name, p.Version, orNone(p.PURL)))
		}
	}
	return append(faults, differences(inSBOM, installed, "the SBOM", "the package database")...)
}

// purlMatches reports whether the package URL of p has its name and version, and
// that architecture and distribution unless they are "". Scanners use the URL
// only, so a wrong URL hides vulnerabilities.
func purlMatches(p sbom.Entry, arch, distribution string) bool {
	u, err := packageurl.FromString(p.PURL)
	if err != nil || u.Type != packageurl.TypeDebian || u.Namespace != debian || u.Name != p.Name || u.Version != p.Version {
		return false
	}
	qualifiers := u.Qualifiers.Map()
	return (arch == "" || qualifiers["arch"] == arch) && (distribution == "" || qualifiers["distro"] == distribution)
}

// debian is the namespace of Debian packages in package URLs.
const debian = "debian"

// distribution returns the qualifier distro of package URLs, such as debian-13,
// for the release in the labels; "" for a release without a number.
func distribution(labels map[string]string) string {
	m, err := metadata.FromLabels(labels)
	if err != nil || layout.VersionID(m.Distro) == "" {
		return ""
	}
	return debian + "-" + layout.VersionID(m.Distro)
}

// differences compares two maps from names to versions.
func differences(a, b map[string]string, sideA, sideB string) []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		version, ok := b[name]
		switch {
		case !ok:
			faults = append(faults, fmt.Sprintf("%s %s is in %s, not in %s", name, a[name], sideA, sideB))
		case version != a[name]:
			faults = append(faults, fmt.Sprintf("%s is %s in %s, %s in %s", name, a[name], sideA, version, sideB))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[name]; !ok {
			faults = append(faults, fmt.Sprintf("%s %s is in %s, not in %s", name, b[name], sideB, sideA))
		}
	}
	return faults
}

// component has the compared fields of a CycloneDX component.
type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
	Hashes  []struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	} `json:"hashes"`
	Components []component `json:"components"`
}

// sha256 returns the SHA-256 digest in hex. It returns "" if there is none, or
// more than one, because readers differ in which one they use.
func (c component) sha256() string {
	sum, count := "", 0
	for _, h := range c.Hashes {
		if h.Algorithm == "SHA-256" {
			sum, count = strings.ToLower(h.Content), count+1
		}
	}
	if count != 1 {
		return ""
	}
	return sum
}

// bom has the compared fields of a CycloneDX document.
type bom struct {
	Format   string `json:"bomFormat"`
	Metadata struct {
		Component component `json:"component"`
	} `json:"metadata"`
	Components []component `json:"components"`
}

// checkCycloneDX checks that the CycloneDX document describes this image and
// matches the SPDX document.
func (v *verifier) checkCycloneDX(i Image, inv *sbom.Inventory) {
	b, err := findDocument(v, CycloneDX, i.Digest, "CycloneDX document", readCycloneDX)
	switch {
	case err != nil:
		v.failErr("cyclonedx", err)
	case inv == nil:
		v.skip("cyclonedx", "there is no SPDX document of this image to compare with")
	default:
		v.compare("cyclonedx", "matches the SPDX document", "CycloneDX and SPDX document differ", bomFaults(b.Components, *inv))
	}
}

// bomFaults compares packages by type, version, URL and digest, and files by type
// and digest. The type matters because scanners look up components of type
// library only.
func bomFaults(components []component, inv sbom.Inventory) []string {
	format := func(version, purl, sha256 string) string {
		return strings.TrimSpace(version+" "+purl) + " with SHA-256 " + sha256
	}
	a, b, types := map[string]string{}, map[string]string{}, map[string]string{}
	for _, p := range inv.Packages {
		b[p.Name], types[p.Name] = format(p.Version, p.PURL, p.SHA256), "library"
	}
	for _, f := range inv.Files {
		b[f.Path], types[f.Path] = format("", "", f.SHA256), "file"
	}
	var faults []string
	var walk func([]component)
	walk = func(list []component) {
		for _, c := range list {
			if _, repeated := a[c.Name]; repeated {
				faults = append(faults, c.Name+" is in CycloneDX more than once")
			}
			if want, ok := types[c.Name]; ok && c.Type != want {
				faults = append(faults, fmt.Sprintf("%s has type %s in CycloneDX, want %s", c.Name, orNone(c.Type), want))
			}
			a[c.Name] = format(c.Version, c.PURL, c.sha256())
			walk(c.Components)
		}
	}
	walk(components)
	return append(faults, differences(a, b, "CycloneDX", "SPDX")...)
}
