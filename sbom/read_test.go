package sbom

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/license"
	"github.com/pgext/pgext/sbom/sbomtest"
)

func TestReadSPDX(t *testing.T) {
	got, err := ReadSPDX(spdxOf(t, sample()))
	if err != nil {
		t.Fatal(err)
	}
	file := func(path, c, pkg string) Owned {
		return Owned{Path: path, SHA1: sum(c, 20), SHA256: sum(c, 32), Package: pkg, Owners: 1}
	}
	keep, take := "MIT AND LicenseRef-public-domain-e39d4726283c832f", "MIT AND LicenseRef-public-domain-1174e83938876761"
	want := Inventory{
		Image: Entry{
			Name: "geo", Version: "3.1", SHA256: sum("d", 32), License: "PostgreSQL AND " + take + " AND " + strings.TrimPrefix(keep, "MIT AND "),
			PURL: "pkg:oci/geo@sha256%3A" + sum("d", 32) + "?arch=amd64&tag=3.1-18-forky",
		},
		Digest: "sha256:" + sum("d", 32), Tool: "pgext-output-1", Created: time.Date(2026, 3, 4, 4, 6, 7, 0, time.UTC),
		Packages: []Entry{
			{"geo", "3.1", sample().Packages[3].PURL(), sum("4", 32), "PostgreSQL"},
			{"libstdc++6", "1:16~rc1+dfsg-3+b1", sample().Packages[0].PURL(), sum("1", 32), take},
			{"postgresql-18-geo", "3.1-1", sample().Packages[1].PURL(), sum("2", 32), keep},
			{"proj-data", "9", sample().Packages[2].PURL(), sum("3", 32), take},
		},
		Files: []Owned{
			file("lib/fromsource.so", "f", ""), file("lib/geo.so", "a", "postgresql-18-geo"),
			file("share/a \"b\" -> ä\n", "0", "proj-data"), file("share/extension/geo++3.1.sql", "c", "postgresql-18-geo"),
			file("share/extension/geo--3.1.sql", "c", ""), file("system/libstdc++.so.6", "b", "libstdc++6"), file("usr/lib/os-release", "e", ""),
		},
		Links: []Owned{
			{Path: "lib/\"x\" -> y", Target: "a\" -> \"b", Owners: 1},
			{Path: "lib/geo-3.so", Target: "geo.so", Package: "postgresql-18-geo", Owners: 1},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ReadSPDX() (-want +got):\n%s", diff)
	}
}

// TestRules decodes the document with the reference library of SPDX and checks the
// number of elements.
func TestRules(t *testing.T) {
	doc := sbomtest.Check(t, spdxOf(t, sample()))
	var contained, generated int
	for _, r := range doc.Relationships {
		switch r.Relationship {
		case contains:
			contained++
		case generatedFrom:
			generated++
		}
	}
	// CONTAINS: three packages and seven files. GENERATED_FROM: the image and two
	// files.
	if len(doc.Packages) != 5 || len(doc.Files) != 7 || contained != 10 || generated != 3 {
		t.Errorf("%d packages, %d files, %d contained, %d generated", len(doc.Packages), len(doc.Files), contained, generated)
	}
	if len(doc.OtherLicenses) != 2 {
		t.Errorf("%d licence texts, want 2", len(doc.OtherLicenses))
	}
}

// TestVerificationCode compares a verification code with the result of sha1sum (SPDX
// 2.3, section 7.9.4).
func TestVerificationCode(t *testing.T) {
	var doc struct {
		Packages []struct {
			Name string
			Code struct {
				Value string `json:"packageVerificationCodeValue"`
			} `json:"packageVerificationCode"`
		}
	}
	if err := json.Unmarshal(spdxOf(t, sample()), &doc); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range doc.Packages {
		got[p.Name] += p.Code.Value
	}
	// printf %s aa…aacc…cc | sha1sum
	if want := "e7a39c1669a4a538c660c6eda41897e99c0b235c"; got["postgresql-18-geo"] != want {
		t.Errorf("code = %s, want %s", got["postgresql-18-geo"], want)
	}
}

// TestAuthorsLicence checks the licence in the recipe, with a licence reference without
// a text.
func TestAuthorsLicence(t *testing.T) {
	d := sample()
	d.Image.License = "GPL-2.0-or-later AND (MIT OR LicenseRef-own)"
	inv, err := ReadSPDX(spdxOf(t, d))
	if err != nil || inv.Image.License != d.Image.License {
		t.Errorf("licence = %q, %v", inv.Image.License, err)
	}
	if err := sbomtest.CycloneDX(t, cyclonedxOf(t, d)); err != nil {
		t.Error(err)
	}
}

// TestPackageOfAuthorsLicence checks a package without a copyright file, which has the
// licence in the recipe.
func TestPackageOfAuthorsLicence(t *testing.T) {
	d := sample()
	d.Image.License, d.Packages[0].License = "LicenseRef-own", license.License{Expression: "LicenseRef-own"}
	text := spdxOf(t, d)
	sbomtest.Check(t, text)
	inv, err := ReadSPDX(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := inv.Packages[1]; got.Name != d.Packages[0].Name || got.License != "LicenseRef-own" {
		t.Errorf("package = %+v, want %s with LicenseRef-own", got, d.Packages[0].Name)
	}
	if err := sbomtest.CycloneDX(t, cyclonedxOf(t, d)); err != nil {
		t.Error(err)
	}
	if bytes.Contains(cyclonedxOf(t, d), []byte(`"content":""`)) {
		t.Error("CycloneDX has a licence without a text")
	}
}

// TestConcluded checks that licences of packages are declared, and that the licence of
// an image without a licence in the recipe is concluded.
func TestConcluded(t *testing.T) {
	for author, want := range map[string][2]string{
		"":               {"PostgreSQL AND ", "concluded"},
		"MIT OR PSF-2.0": {"NOASSERTION", "declared"},
	} {
		d := sample()
		d.Image.License = author
		for _, p := range sbomtest.Check(t, spdxOf(t, d)).Packages {
			concluded := "NOASSERTION"
			if p.PackageName == d.Image.Name && p.PrimaryPackagePurpose == "CONTAINER" {
				concluded = want[0]
			}
			if !strings.HasPrefix(p.PackageLicenseConcluded, concluded) || p.PackageLicenseComments == "" {
				t.Errorf("licence %q in the recipe, %s: concluded %q (%s), want %s", author, p.PackageName, p.PackageLicenseConcluded, p.PackageLicenseComments, concluded)
			}
		}
		var bom cdx.BOM
		if err := json.Unmarshal(cyclonedxOf(t, d), &bom); err != nil {
			t.Fatal(err)
		}
		if got := *(*bom.Metadata.Component.Licenses)[0].Acknowledgement; string(got) != want[1] {
			t.Errorf("licence %q in the recipe: CycloneDX has %s, want %s", author, got, want[1])
		}
		for _, c := range *bom.Components {
			if c.Licenses != nil && *(*c.Licenses)[0].Acknowledgement != cdx.LicenseAcknowledgementDeclared {
				t.Errorf("%s: the licence is not declared", c.Name)
			}
		}
	}
}

// TestInvalid checks the errors of invalid documents.
func TestInvalid(t *testing.T) {
	good := string(spdxOf(t, sample()))
	for _, tc := range []struct{ name, old, replacement, want string }{
		{"nothing", good, "", "unexpected end"},
		{"null", good, "null", "version"},
		{"list", good, "[]", "cannot unmarshal"},
		{"version", "SPDX-2.3", "SPDX-2.2", "want SPDX-2.3"},
		{"no time", `"created":"2026-03-04T04:06:07Z"`, `"created":"then"`, "created"},
		{"own name", `"SPDXID":"SPDXRef-DOCUMENT"`, `"SPDXID":"SPDXRef-Package-proj-data"`, "identifier of the document"},
		{"identifier", `"SPDXID":"SPDXRef-Package-proj-data"`, `"SPDXID":"SPDXRef-a b"`, "invalid SPDX identifier"},
		{"identifier twice", `"SPDXID":"SPDXRef-Package-proj-data"`, `"SPDXID":"SPDXRef-Package-geo"`, "duplicate SPDX identifier"},
		{"null package", `"packages":[`, `"packages":[null,`, "invalid SPDX identifier"},
		{"null file", `"files":[`, `"files":[null,`, "invalid SPDX identifier"},
		{"end of a relationship", `"relatedSpdxElement":"SPDXRef-Package-proj-data"`, `"relatedSpdxElement":"SPDXRef-nothing"`, "not in the document"},
		{"describes nothing", `"relationshipType":"DESCRIBES"`, `"relationshipType":"OTHER"`, "does not describe a package"},
		{"describes two", `"relationshipType":"GENERATED_FROM"`, `"relationshipType":"DESCRIBES"`, "exactly one package"},
		{"hasFiles", `"name":"proj-data"`, `"name":"proj-data","hasFiles":["SPDXRef-nothing"]`, "not in the document"},
		{"key twice", `"spdxVersion":`, `"files":[],"spdxVersion":`, `key "files" repeats`},
		{"key in another case", `"files":`, `"Files":`, `key "Files" is not "files"`},
		{"digest twice", `{"algorithm":"SHA1",`, `{"algorithm":"SHA1","checksumValue":"` + sum("9", 20) + `"},{"algorithm":"SHA1",`, "has more than one SHA1"},
		{"URL twice", `"externalRefs":[`, `"externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/x@1"},`, "has more than one package URL"},
		{"licence", `"licenseDeclared":"PostgreSQL"`, `"licenseDeclared":"as you like"`, "not a valid SPDX expression"},
		{"no text", `"licenseDeclared":"PostgreSQL"`, `"licenseDeclared":"LicenseRef-x"`, "LicenseRef-x has no text"},
		{"empty text", `"extractedText":"take it"`, `"extractedText":" "`, "has no text"},
		{"path", `"fileName":"./lib/geo.so"`, `"fileName":"./lib/../../x"`, "invalid path"},
		{"path twice", `"fileName":"./lib/geo.so"`, `"fileName":"/lib/fromsource.so"`, "duplicate path"},
		{"link", `symbolic link: \"lib/geo-3.so\"`, `symbolic link: \"../x\"`, "invalid annotation"},
		{"link without target", `\"lib/geo-3.so\" -> `, `\"lib/geo-3.so\" - `, "invalid annotation"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := strings.ReplaceAll(good, tc.old, tc.replacement)
			if text == good {
				t.Fatal("the text is unchanged")
			}
			if _, err := ReadSPDX([]byte(text)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v, want one with %q", err, tc.want)
			}
		})
	}
}

// TestOwners checks the number of packages that contain a file, for all forms of the
// relationship.
func TestOwners(t *testing.T) {
	const text = `{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","creationInfo":{"created":"2026-01-01T00:00:00Z"},
		"documentDescribes":["SPDXRef-a"],
		"packages":[{"SPDXID":"SPDXRef-a","name":"a","hasFiles":["SPDXRef-two"],"licenseDeclared":"NONE"},{"SPDXID":"SPDXRef-b","name":"b"}],
		"files":[{"SPDXID":"SPDXRef-none","fileName":"none"},{"SPDXID":"SPDXRef-one","fileName":"/one","checksums":[{"algorithm":"SHA256","checksumValue":"zz"}]},{"SPDXID":"SPDXRef-two","fileName":"./two"}],
		"relationships":[
			{"spdxElementId":"SPDXRef-one","relationshipType":"CONTAINED_BY","relatedSpdxElement":"SPDXRef-b"},
			{"spdxElementId":"SPDXRef-b","relationshipType":"CONTAINS","relatedSpdxElement":"SPDXRef-one"},
			{"spdxElementId":"SPDXRef-b","relationshipType":"CONTAINS","relatedSpdxElement":"SPDXRef-two"},
			{"spdxElementId":"SPDXRef-b","relationshipType":"CONTAINS","relatedSpdxElement":"NOASSERTION"}]}`
	got, err := ReadSPDX([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Owned{{Path: "none"}, {Path: "one", Package: "b", Owners: 1}, {Path: "two", Owners: 2}}
	if diff := cmp.Diff(want, got.Files); diff != "" {
		t.Errorf("Files (-want +got):\n%s", diff)
	}
}

// TestLimits checks that a large number of licences is rejected, since the time to
// check them grows faster than their size.
func TestLimits(t *testing.T) {
	document := func(expression func(i int) string) []byte {
		var b strings.Builder
		b.WriteString(`{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","creationInfo":{"created":"2026-01-01T00:00:00Z"},"documentDescribes":["SPDXRef-0"],"files":[{"SPDXID":"SPDXRef-f","fileName":"f"}],"packages":[{"SPDXID":"SPDXRef-0"}`)
		for i := range 20_000 {
			fmt.Fprintf(&b, `,{"SPDXID":"SPDXRef-p%d","hasFiles":["SPDXRef-f"],"licenseDeclared":"%s"}`, i, expression(i))
		}
		b.WriteString(`],"hasExtractedLicensingInfos":[{"licenseId":"LicenseRef-0","extractedText":"x"}`)
		for i := range 20_000 {
			fmt.Fprintf(&b, `,{"licenseId":"LicenseRef-%d","extractedText":"x"}`, i+1)
		}
		b.WriteString(`]}`)
		return []byte(b.String())
	}
	want := fmt.Sprintf("more than %d bytes of licence expressions", maxExpressions)
	if _, err := ReadSPDX(document(func(i int) string { return fmt.Sprintf("LicenseRef-%d OR MIT", i) })); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error = %v, want one with %q", err, want)
	}
	if inv, err := ReadSPDX(document(func(int) string { return "MIT" })); err != nil || len(inv.Packages) != 20_000 {
		t.Errorf("20,000 packages of one licence: got %d, %v", len(inv.Packages), err)
	}
}

// FuzzReadSPDX checks that paths, digests and licences of an Inventory are valid.
func FuzzReadSPDX(f *testing.F) {
	f.Add(spdxOf(f, sample()))
	f.Add([]byte(`{"packages":[null],"files":[null],"relationships":[null]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, err := ReadSPDX(data)
		if err != nil {
			return
		}
		for i, o := range append(inv.Files, inv.Links...) {
			if strings.HasPrefix(o.Path, "/") || strings.Contains("/"+o.Path+"/", "/../") || o.Path == "" {
				t.Errorf("%d: path %q", i, o.Path)
			}
			if o.SHA256 != "" && !digest.IsSHA256(o.SHA256) {
				t.Errorf("%s: digest %q", o.Path, o.SHA256)
			}
		}
		for _, e := range append(inv.Packages, inv.Image) {
			if e.License != "" && license.Valid(e.License) != nil {
				t.Errorf("%s: licence %q", e.Name, e.License)
			}
		}
	})
}
