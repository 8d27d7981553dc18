package sbom

import (
	"fmt"
	"strings"
	"time"

	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/format/common/spdxhelpers"
	"github.com/anchore/syft/syft/pkg"
	syft "github.com/anchore/syft/syft/sbom"
	"github.com/anchore/syft/syft/source"
	"github.com/spdx/tools-golang/spdx"
)

// namespace is the prefix of document namespaces (SPDX 2.3, section 6.5). It is an
// identifier; no document needs to exist at the URL.
const namespace = "https://pgext.github.io/spdx/"

const noAssertion = "NOASSERTION"

// SPDX returns the document as SPDX 2.3 in JSON. It returns an error if the
// document is inconsistent.
func (d Document) SPDX() ([]byte, error) {
	d, err := d.normal()
	if err != nil {
		return nil, err
	}
	doc := spdxhelpers.ToFormatModel(d.model())
	d.complete(doc)
	return named(doc)
}

// title returns the name of the document.
func (d Document) title() string {
	return fmt.Sprintf("%s-%s-%s", d.Image.Name, d.Image.tag(), d.Image.Arch)
}

func (i Image) tag() string {
	if i.Tag != "" {
		return i.Tag
	}
	return i.Version
}

// tool returns the creator of the document.
func (d Document) tool() string { return fmt.Sprintf("pgext-output-%d", d.OutputVersion) }

// model returns the image and its packages in syft's data model.
func (d Document) model() syft.SBOM {
	packages := make([]pkg.Package, len(d.Packages))
	for i, p := range d.Packages {
		packages[i] = pkg.Package{Name: p.Name, Version: p.Version, Type: pkg.DebPkg, PURL: p.PURL()}
		if p.Kind == Upstream {
			packages[i].Type = pkg.UnknownPkg
		}
		packages[i].OverrideID(artifact.ID("Package-" + elementID(p.Name)))
	}
	return syft.SBOM{
		Artifacts: syft.Artifacts{Packages: pkg.NewCollection(packages...)},
		Source: source.Description{
			Name: d.Image.Name, Version: d.Image.Version,
			Metadata: source.ImageMetadata{
				UserInput: d.Image.Name + ":" + d.Image.tag(), ManifestDigest: d.Image.Digest, Architecture: d.Image.Arch,
			},
		},
		Descriptor: syft.Descriptor{Name: "pgext"},
	}
}

// complete adds the fields that syft's encoder does not set, and replaces those
// that differ between runs.
func (d Document) complete(doc *spdx.Document) {
	doc.DocumentName = d.title()
	doc.DocumentNamespace = namespace + d.title() + "-" + blank
	doc.CreationInfo.Created = d.Image.Created.Format(time.RFC3339)
	doc.CreationInfo.Creators = []spdx.Creator{{CreatorType: "Tool", Creator: d.tool()}}
	for _, r := range d.references() {
		doc.OtherLicenses = append(doc.OtherLicenses, &spdx.OtherLicense{
			LicenseIdentifier: r.ID, ExtractedText: r.Text, LicenseName: r.Name,
		})
	}
	w := spdxWriter{document: d, out: doc, elements: map[string]*spdx.Package{}, sums: map[string][]string{}}
	w.packages()
	w.relations()
	w.files()
	w.links()
	w.verificationCodes()
}

// spdxWriter completes an SPDX document.
type spdxWriter struct {
	document Document
	out      *spdx.Document
	// elements are the packages by name, "" for the image.
	elements map[string]*spdx.Package
	// sums are the SHA-1 digests of the files in each package.
	sums map[string][]string
}

// packages sets the fields of packages that syft's data model does not have.
func (w *spdxWriter) packages() {
	described := map[string]Package{}
	for _, p := range w.document.Packages {
		described["Package-"+elementID(p.Name)] = p
	}
	for _, out := range w.out.Packages {
		if p, ok := described[string(out.PackageSPDXIdentifier)]; ok {
			w.elements[p.Name] = out
			p.describe(out)
		} else {
			w.elements[""] = out
			w.describeImage(out)
		}
	}
}

// Comments on licences (SPDX 2.3, section 7.16), which a concluded licence of
// NOASSERTION should have. The licence in a copyright file is a declared licence
// (7.15). pgext does not search files for licences (7.13, 8.5), so it concludes none
// for packages. For an image without a licence in the recipe it concludes the
// licences of all packages. These texts are part of the output: a change requires a
// new image.OutputVersion.
const (
	declaredOnly = "Declared is what the copyright file says of all files of the source but those of the packaging, or what the author of the image states where there is none. Nothing is concluded: no file was searched for licences."
	authorsOnly  = "Declared is what the author of the image states. Nothing is concluded: no file was searched for licences."
	joined       = "The author of the image states none: it is what all packages declare, joined by AND."
)

// describe sets the fields of a package.
func (p Package) describe(out *spdx.Package) {
	out.PackageSupplier = spdxSupplier(p.Supplier)
	out.PackageOriginator = nil
	out.PackageHomePage = p.Homepage
	out.PackageSummary = p.Summary
	out.PackageDownloadLocation = orNone(p.DownloadLocation)
	out.PackageLicenseDeclared, out.PackageLicenseConcluded = p.License.Expression, noAssertion
	out.PackageLicenseComments = declaredOnly
	out.PackageCopyrightText = orNone(p.Copyright)
	out.PackageSourceInfo = p.sourceInfo()
	if p.Kind == Upstream {
		out.PrimaryPackagePurpose = "ARCHIVE"
	}
	if p.SHA256 != "" {
		out.PackageChecksums = []spdx.Checksum{{Algorithm: spdx.SHA256, Value: p.SHA256}}
	}
}

// sourceInfo returns the source package as text (SPDX 2.3, section 7.12).
func (p Package) sourceInfo() string {
	if p.Kind == Upstream {
		return "archive that the image was built from"
	}
	source, version := p.Name, p.Version
	if p.Source != "" {
		source = p.Source
	}
	if p.SourceVersion != "" {
		version = p.SourceVersion
	}
	return fmt.Sprintf("built from Debian source package: %s %s", source, version)
}

// describeImage sets the fields of the image.
func (w *spdxWriter) describeImage(out *spdx.Package) {
	i := w.document.Image
	out.PackageFileName = ""
	out.PackageHomePage, out.PackageSummary = i.Homepage, i.Summary
	switch l := w.document.license(); {
	case i.License != "":
		out.PackageLicenseDeclared, out.PackageLicenseConcluded = l.Expression, noAssertion
		out.PackageLicenseComments = authorsOnly
	case l.Expression != "":
		out.PackageLicenseDeclared, out.PackageLicenseConcluded = l.Expression, l.Expression
		out.PackageLicenseComments = joined
	}
}

// orNone returns s, or NOASSERTION if s is empty.
func orNone(s string) string {
	if strings.TrimSpace(s) == "" {
		return noAssertion
	}
	return s
}

// spdxSupplier converts a Maintainer field (SPDX 2.3, section 7.5).
func spdxSupplier(maintainer string) *spdx.Supplier {
	name, address, organization := supplier(maintainer)
	if name == "" {
		return &spdx.Supplier{Supplier: noAssertion}
	}
	kind := "Person"
	if organization {
		kind = "Organization"
	}
	if address != "" {
		name += " (" + address + ")"
	}
	return &spdx.Supplier{SupplierType: kind, Supplier: name}
}
