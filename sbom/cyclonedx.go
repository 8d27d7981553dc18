package sbom

import (
	"fmt"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/anchore/packageurl-go"
)

// CycloneDX returns the document as CycloneDX 1.7 in JSON. It returns an error if
// the document is inconsistent.
func (d Document) CycloneDX() ([]byte, error) {
	d, err := d.normal()
	if err != nil {
		return nil, err
	}
	return named(d.bom())
}

// imageRef is the reference of the image in the document.
const imageRef = "image"

// bom returns the components: the packages with their files, and the files of the
// image itself.
func (d Document) bom() *cdx.BOM {
	w := cdxWriter{document: d, written: map[string]bool{}, files: map[string][]cdx.Component{}, links: map[string][]cdx.Property{}}
	w.collect()
	image := w.image()
	components := make([]cdx.Component, 0, len(d.Packages)+len(w.files[""]))
	refs := make([]string, len(d.Packages))
	for i, p := range d.Packages {
		components = append(components, w.component(p))
		refs[i] = packageRef(p.Name)
	}
	components = append(components, w.files[""]...)
	bom := cdx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + blank
	bom.Metadata = &cdx.Metadata{
		Timestamp: d.Image.Created.Format(time.RFC3339),
		Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{{
			Type: cdx.ComponentTypeApplication, Name: "pgext", Version: fmt.Sprintf("output-%d", d.OutputVersion),
		}}},
		Component: &image,
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: imageRef, Dependencies: &refs}}
	bom.Compositions = &[]cdx.Composition{{
		Aggregate: cdx.CompositionAggregateComplete, Assemblies: &[]cdx.BOMReference{imageRef},
	}}
	return bom
}

// cdxWriter makes components.
type cdxWriter struct {
	document Document
	// written are the licence references whose text is in a component.
	written map[string]bool
	// files and links are grouped by package, "" for the image itself.
	files map[string][]cdx.Component
	links map[string][]cdx.Property
}

// collect sets files and links.
func (w *cdxWriter) collect() {
	for _, f := range w.document.Files {
		c := cdx.Component{
			BOMRef: "file:" + f.Path, Type: cdx.ComponentTypeFile, Name: f.Path, Description: f.Note,
			Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA1, Value: f.SHA1}, {Algorithm: cdx.HashAlgoSHA256, Value: f.SHA256}},
		}
		if f.From != "" {
			c.Properties = &[]cdx.Property{{Name: "pgext:generated-from", Value: packageRef(f.From)}}
		}
		w.files[f.Package] = append(w.files[f.Package], c)
	}
	for _, l := range w.document.Links {
		w.links[l.Package] = append(w.links[l.Package], cdx.Property{Name: "pgext:symbolic-link", Value: fmt.Sprintf("%q -> %q", l.Path, l.Target)})
	}
}

// packageRef returns the reference of a package in the document.
func packageRef(name string) string { return "package:" + name }

// image returns the component of the image.
func (w *cdxWriter) image() cdx.Component {
	i := w.document.Image
	c := cdx.Component{
		BOMRef: imageRef, Type: cdx.ComponentTypeContainer, Name: i.Name, Version: i.Version, Description: i.Summary,
		Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: strings.TrimPrefix(i.Digest, "sha256:")}},
		PackageURL: packageurl.NewPackageURL(packageurl.TypeOCI, "", i.Name, i.Digest, packageurl.Qualifiers{
			{Key: "arch", Value: i.Arch}, {Key: "tag", Value: i.tag()},
		}, "").ToString(),
		ExternalReferences: externalReferences(i.Homepage, ""),
		Properties:         optional(w.links[""]),
	}
	if l := w.document.license(); l.Expression != "" {
		how := cdx.LicenseAcknowledgementDeclared
		if i.License == "" {
			how = cdx.LicenseAcknowledgementConcluded
		}
		c.Licenses = &cdx.Licenses{{Expression: l.Expression, Acknowledgement: &how}}
	}
	return c
}

func (w *cdxWriter) component(p Package) cdx.Component {
	c := cdx.Component{
		BOMRef: packageRef(p.Name), Type: cdx.ComponentTypeLibrary, Name: p.Name, Version: p.Version, Description: p.Summary,
		PackageURL: p.PURL(), Copyright: p.Copyright, Licenses: w.licenses(p), Supplier: cdxSupplier(p.Supplier),
		ExternalReferences: externalReferences(p.Homepage, p.DownloadLocation),
		Properties:         optional(w.links[p.Name]), Components: optional(w.files[p.Name]),
	}
	if p.SHA256 != "" {
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: p.SHA256}}
	}
	return c
}

// licenses returns the licence of p. It is always an expression: the schema
// restricts single identifiers to a list that is older than the list of SPDX. The
// text of a licence reference is in the first package that has it.
func (w *cdxWriter) licenses(p Package) *cdx.Licenses {
	declared := cdx.LicenseAcknowledgementDeclared
	var details []cdx.LicenseExpressionDetail
	for _, r := range p.License.References {
		if !w.written[r.ID] {
			w.written[r.ID] = true
			details = append(details, cdx.LicenseExpressionDetail{
				LicenseIdentifier: r.ID, Text: &cdx.AttachedText{ContentType: "text/plain", Content: r.Text},
			})
		}
	}
	return &cdx.Licenses{{Expression: p.License.Expression, Acknowledgement: &declared, ExpressionDetails: optional(details)}}
}

// cdxSupplier converts a Maintainer field; nil for "".
func cdxSupplier(maintainer string) *cdx.OrganizationalEntity {
	name, address, _ := supplier(maintainer)
	if name == "" {
		return nil
	}
	e := &cdx.OrganizationalEntity{Name: name}
	if address != "" {
		e.Contact = &[]cdx.OrganizationalContact{{Email: address}}
	}
	return e
}

// externalReferences returns references to the homepage and to the download location,
// which may be "".
func externalReferences(homepage, download string) *[]cdx.ExternalReference {
	var refs []cdx.ExternalReference
	if homepage != "" {
		refs = append(refs, cdx.ExternalReference{Type: cdx.ERTypeWebsite, URL: homepage})
	}
	if download != "" {
		refs = append(refs, cdx.ExternalReference{Type: cdx.ERTypeDistribution, URL: download})
	}
	return optional(refs)
}

// optional returns nil for an empty list, which the encoder omits.
func optional[T any](list []T) *[]T {
	if len(list) == 0 {
		return nil
	}
	return &list
}
