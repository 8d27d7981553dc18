package verify

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/anchore/packageurl-go"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/strictjson"
	"github.com/pgext/pgext/layout"
	"github.com/pgext/pgext/sbom"
)

// The hints about documents.
const (
	attachAgain = "ask the publisher for an image with its evidence; pgext push attaches it"
	copied      = "mirror images with their evidence (pgext copy), and never attach a document by hand"
)

// another says that a document is about something else.
func another(document, says, digest string) string {
	if says == "" {
		return fmt.Sprintf("the %s does not say which image it is about", document)
	}
	return fmt.Sprintf("the %s is about %s, which is another image than %s", document, says, digest)
}

// bill says whether the SBOM is about this image and agrees with its files and
// packages. It returns nil when there is none that can be relied upon.
func (j *judge) bill(i Image) *sbom.Inventory {
	inventory, detail, hint := j.readBill(i)
	if inventory == nil {
		j.fail("sbom", detail, hint)
		j.skip("sbom files", "there is no SBOM of this image")
		j.skip("sbom packages", "there is no SBOM of this image")
		return nil
	}
	j.pass("sbom", "%d packages and %d files of %s", len(inventory.Packages), len(inventory.Files), i.Digest)
	if i.Damage != nil {
		j.skip("sbom files", "the layers cannot be read")
		j.skip("sbom packages", "the layers cannot be read")
		return inventory
	}
	j.agree("sbom files", fmt.Sprintf("all %d files and links are in it, with these bytes", len(inventory.Files)+len(inventory.Links)),
		"the SBOM does not agree with the layers", beware, fileFaults(i, *inventory))
	j.agree("sbom packages", "those of var/lib/dpkg/status.d",
		"the SBOM does not agree with the image's package database", beware, packageFaults(i, *inventory))
	return inventory
}

// readBill returns the SBOM that is about the image, or why there is none.
func (j *judge) readBill(i Image) (inventory *sbom.Inventory, detail, hint string) {
	detail, hint = "no SBOM (SPDX) is attached to "+i.Digest, attachAgain
	for _, data := range j.contents(SPDX) {
		inv, err := sbom.ReadSPDX(data)
		switch {
		case err != nil:
			detail, hint = "the SBOM that is attached is of no use: "+err.Error(), attachAgain
		case inv.Digest != i.Digest:
			detail, hint = another("SBOM", inv.Digest, i.Digest), copied
		default:
			return &inv, "", ""
		}
	}
	return nil, detail, hint
}

// fileFaults compares the SBOM with the files, each by name.
func fileFaults(i Image, inv sbom.Inventory) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	packages := map[string]bool{"": true}
	for _, p := range inv.Packages {
		packages[p.Name] = true
	}
	told := map[string]bool{}
	judge := func(o sbom.Owned, kind filetree.Kind) {
		told[o.Path] = true
		e, ok := i.Tree.Get(o.Path)
		switch {
		case !ok:
			fault("%s: the SBOM lists it, and the image does not have it", o.Path)
		case e.Kind != kind:
			fault("%s: the SBOM says it is a %s, and in the image it is a %s", o.Path, kinds[kind], kinds[e.Kind])
		case e.SHA256 != o.SHA256:
			fault("%s: its bytes have SHA-256 %s, and the SBOM says %s", o.Path, e.SHA256, orNothing(o.SHA256))
		case e.Link != o.Target:
			fault("%s: it leads to %s, and the SBOM says %s", o.Path, e.Link, orNothing(o.Target))
		case o.Owners != 1 || !packages[o.Package]:
			fault("%s: the SBOM gives it %d owners, not one", o.Path, o.Owners)
		}
	}
	for _, o := range inv.Files {
		judge(o, filetree.File)
	}
	for _, o := range inv.Links {
		judge(o, filetree.Symlink)
	}
	for e := range i.Tree.All() {
		if e.Kind != filetree.Dir && !told[e.Path] {
			fault("%s: the image has it, and the SBOM does not list it", e.Path)
		}
	}
	return append(faults, unlisted(i)...)
}

// unlisted is what of an image no SBOM can list.
func unlisted(i Image) []string {
	var faults []string
	for _, path := range i.Special {
		faults = append(faults, path+": it is a device or a pipe, which no SBOM lists")
	}
	for _, layer := range i.Hiding {
		faults = append(faults, fmt.Sprintf("layer %s: something follows the end of its archive", layer))
	}
	return faults
}

var kinds = map[filetree.Kind]string{filetree.File: "file", filetree.Dir: "directory", filetree.Symlink: "link"}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// upstream are packages that files were built from; no package database has
// them.
const upstream = "pkg:generic/"

// packageFaults compares the packages of the SBOM with those that the image
// itself lists.
func packageFaults(i Image, inv sbom.Inventory) []string {
	billed, faults := map[string]string{}, []string(nil)
	listed, archs := map[string]string{}, map[string]string{}
	for _, p := range i.Packages {
		listed[p.Name], archs[p.Name] = p.Version, p.Arch
	}
	for _, p := range inv.Packages {
		if strings.HasPrefix(p.PURL, upstream) {
			continue
		}
		if _, twice := billed[p.Name]; twice {
			faults = append(faults, p.Name+" is in the SBOM more than once")
		}
		billed[p.Name] = p.Version
		if !named(p, archs[p.Name], distribution(i.Labels)) {
			faults = append(faults, fmt.Sprintf("%s %s: its package URL is of something else: %s", p.Name, p.Version, orNothing(p.PURL)))
		}
	}
	return append(faults, different(billed, listed, "the SBOM", "the image's package database")...)
}

// named reports whether the URL of a package, which is what scanners look at,
// is about its name, version and architecture, and about the image's
// distribution.
func named(p sbom.Entry, arch, distribution string) bool {
	u, err := packageurl.FromString(p.PURL)
	if err != nil || u.Type != packageurl.TypeDebian || u.Namespace != debian || u.Name != p.Name || u.Version != p.Version {
		return false
	}
	qualifiers := u.Qualifiers.Map()
	return (arch == "" || qualifiers["arch"] == arch) && (distribution == "" || qualifiers["distro"] == distribution)
}

// debian is what package URLs call the distribution.
const debian = "debian"

// distribution is what package URLs call the release that labels name; "" where
// they name none that has a number.
func distribution(labels map[string]string) string {
	m, err := metadata.FromLabels(labels)
	if err != nil || layout.VersionID(m.Distro) == "" {
		return ""
	}
	return debian + "-" + layout.VersionID(m.Distro)
}

// different tells in which names and versions two sides differ.
func different(a, b map[string]string, sideA, sideB string) []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		version, ok := b[name]
		switch {
		case !ok:
			faults = append(faults, fmt.Sprintf("%s %s is in %s, and not in %s", name, a[name], sideA, sideB))
		case version != a[name]:
			faults = append(faults, fmt.Sprintf("%s is %s in %s, and %s in %s", name, a[name], sideA, version, sideB))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[name]; !ok {
			faults = append(faults, fmt.Sprintf("%s %s is in %s, and not in %s", name, b[name], sideB, sideA))
		}
	}
	return faults
}

// component is what of a CycloneDX component is compared.
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

// sha256 is "" for none, and for two: readers differ in which they believe.
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

// bom is what of a CycloneDX document is read.
type bom struct {
	Format   string `json:"bomFormat"`
	Metadata struct {
		Component component `json:"component"`
	} `json:"metadata"`
	Components []component `json:"components"`
}

// readBOM returns a CycloneDX document and the digest of the manifest that it is
// about; "" when it does not say.
func readBOM(data []byte) (b bom, digest string, err error) {
	if err := strictjson.Unmarshal(data, &b, strictjson.Rules{}); err != nil {
		return bom{}, "", fmt.Errorf("the CycloneDX document that is attached cannot be read: %w", err)
	}
	if b.Format != "CycloneDX" {
		return bom{}, "", errors.New("the CycloneDX document that is attached cannot be read: it says it is something else")
	}
	if digest = b.Metadata.Component.sha256(); digest != "" {
		digest = "sha256:" + digest
	}
	return b, digest, nil
}

// cyclonedx says whether the CycloneDX document is about this image and says
// what the SPDX document says.
func (j *judge) cyclonedx(i Image, inv *sbom.Inventory) {
	documents := j.contents(CycloneDX)
	if len(documents) == 0 {
		j.fail("cyclonedx", "no SBOM (CycloneDX) is attached to "+i.Digest, attachAgain)
		return
	}
	detail, hint := "", attachAgain
	for _, data := range documents {
		b, digest, err := readBOM(data)
		switch {
		case err != nil:
			detail = err.Error()
			continue
		case digest != i.Digest:
			detail, hint = another("CycloneDX document", digest, i.Digest), copied
			continue
		case inv == nil:
			j.skip("cyclonedx", "there is no SPDX document of this image to compare it with")
			return
		}
		j.agree("cyclonedx", "says what the SPDX document says", "the two SBOMs do not agree", beware, bomFaults(b.Components, *inv))
		return
	}
	j.fail("cyclonedx", detail, hint)
}

// bomFaults compares packages by version, URL and digest, files by digest. The
// type says which is which: scanners look up libraries alone.
func bomFaults(components []component, inv sbom.Inventory) []string {
	said := func(version, purl, sha256 string) string {
		return strings.TrimSpace(version+" "+purl) + " with SHA-256 " + sha256
	}
	a, b, types := map[string]string{}, map[string]string{}, map[string]string{}
	for _, p := range inv.Packages {
		b[p.Name], types[p.Name] = said(p.Version, p.PURL, p.SHA256), "library"
	}
	for _, f := range inv.Files {
		b[f.Path], types[f.Path] = said("", "", f.SHA256), "file"
	}
	var faults []string
	var walk func([]component)
	walk = func(list []component) {
		for _, c := range list {
			if _, twice := a[c.Name]; twice {
				faults = append(faults, c.Name+" is in CycloneDX more than once")
			}
			if want, ok := types[c.Name]; ok && c.Type != want {
				faults = append(faults, fmt.Sprintf("%s is of type %s in CycloneDX, and should be of type %s", c.Name, orNothing(c.Type), want))
			}
			a[c.Name] = said(c.Version, c.PURL, c.sha256())
			walk(c.Components)
		}
	}
	walk(components)
	return append(faults, different(a, b, "CycloneDX", "SPDX")...)
}
