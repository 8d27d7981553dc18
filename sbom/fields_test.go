package sbom

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/license"
)

// fieldsDocument returns a document in which every field has a distinct value.
func fieldsDocument() Document {
	return Document{
		OutputVersion: 7,
		Image: Image{
			Name: "image-name", Version: "image-version", Tag: "image-tag", Arch: "arm64", Digest: "sha256:" + sum("d", 32),
			Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), License: "Zlib", Summary: "image summary", Homepage: "https://image.example/",
		},
		Packages: []Package{
			{
				Name: "person-package", Version: "1-1", Arch: "arm64", Distro: "debian-13", Source: "source", SourceVersion: "1-0",
				Supplier: "A. Person <person@example.org>", Summary: "package summary", Homepage: "https://package.example/", SHA256: sum("1", 32),
				DownloadLocation: "https://deb.example/person.deb", License: license.License{
					Expression: "LicenseRef-own", References: []license.Reference{{ID: "LicenseRef-own", Name: "own licence", Text: "licence text"}},
				}, Copyright: "2001 First\n2002 Second",
			},
			{Name: "team-package", Version: "2", Arch: "all", Distro: "debian-13", Supplier: "Debian Team <team@lists.debian.org>", License: license.License{Expression: "MIT"}},
		},
		Files: []File{
			{Path: "lib/b.so", SHA1: sum("b", 20), SHA256: sum("e", 32), Package: "person-package"},
			{Path: "lib/c.so", SHA1: sum("9", 20), SHA256: sum("f", 32), Package: "person-package"},
			{Path: "lib/d.so", SHA1: sum("a", 20), SHA256: sum("8", 32), Package: "person-package"},
			{Path: "share/x.sql", SHA1: sum("c", 20), SHA256: sum("0", 32), From: "person-package", Note: "file note"},
		},
		Links: []Link{{Path: "lib/link.so", Target: "b.so", Package: "person-package"}},
	}
}

// TestSPDXFields compares every field of the SPDX packages and files with the
// document: a missing or exchanged value is a difference.
func TestSPDXFields(t *testing.T) {
	var got struct {
		Creation map[string]any   `json:"creationInfo"`
		Name     string           `json:"name"`
		Licenses []any            `json:"hasExtractedLicensingInfos"`
		Packages []map[string]any `json:"packages"`
		Files    []map[string]any `json:"files"`
	}
	data := spdxOf(t, fieldsDocument())
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	delete(got.Creation, "licenseListVersion") // of syft
	// printf %s 99…9aa…abb…b | sha1sum, and printf %s cc…c | sha1sum
	const packageCode, imageCode = "1b6abea74191ca81bcb33396614f08b2dc46f011", "0eb6d3705febe14500f2b58744f3accf00bb501c"
	compareJSON(t, "creationInfo", `{"created": "2026-01-02T03:04:05Z", "creators": ["Tool: pgext-output-7"]}`, got.Creation)
	compareJSON(t, "name", `"image-name-image-tag-arm64"`, got.Name)
	compareJSON(t, "licences", `[{"extractedText": "licence text", "licenseId": "LicenseRef-own-064545f991197adc", "name": "own licence"}]`, got.Licenses)
	compareJSON(t, "packages", `[{
		"SPDXID": "SPDXRef-Package-person-package", "name": "person-package", "versionInfo": "1-1",
		"supplier": "Person: A. Person (person@example.org)",
		"summary": "package summary", "homepage": "https://package.example/",
		"downloadLocation": "https://deb.example/person.deb",
		"checksums": [{"algorithm": "SHA256", "checksumValue": "`+sum("1", 32)+`"}],
		"copyrightText": "2001 First\n2002 Second",
		"licenseDeclared": "LicenseRef-own-064545f991197adc", "licenseConcluded": "NOASSERTION", "licenseComments": "`+declaredOnly+`",
		"sourceInfo": "built from Debian source package: source 1-0",
		"externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
			"referenceLocator": "pkg:deb/debian/person-package@1-1?arch=arm64&distro=debian-13&upstream=source%401-0"}],
		"filesAnalyzed": true, "packageVerificationCode": {"packageVerificationCodeValue": "`+packageCode+`"},
		"annotations": [{"annotationDate": "2026-01-02T03:04:05Z", "annotationType": "OTHER", "annotator": "Tool: pgext-output-7",
			"comment": "symbolic link: \"lib/link.so\" -> \"b.so\""}]
	}, {
		"SPDXID": "SPDXRef-Package-team-package", "name": "team-package", "versionInfo": "2",
		"supplier": "Organization: Debian Team (team@lists.debian.org)",
		"downloadLocation": "NOASSERTION", "copyrightText": "NOASSERTION",
		"licenseDeclared": "MIT", "licenseConcluded": "NOASSERTION", "licenseComments": "`+declaredOnly+`",
		"sourceInfo": "built from Debian source package: team-package 2",
		"externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
			"referenceLocator": "pkg:deb/debian/team-package@2?arch=all&distro=debian-13"}],
		"filesAnalyzed": false
	}, {
		"SPDXID": "SPDXRef-DocumentRoot-Image-image-name", "name": "image-name", "versionInfo": "image-version",
		"supplier": "NOASSERTION", "summary": "image summary", "homepage": "https://image.example/",
		"downloadLocation": "NOASSERTION", "copyrightText": "NOASSERTION", "primaryPackagePurpose": "CONTAINER",
		"checksums": [{"algorithm": "SHA256", "checksumValue": "`+sum("d", 32)+`"}],
		"licenseDeclared": "Zlib", "licenseConcluded": "NOASSERTION", "licenseComments": "`+authorsOnly+`",
		"externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
			"referenceLocator": "pkg:oci/image-name@sha256%3A`+sum("d", 32)+`?arch=arm64&tag=image-tag"}],
		"filesAnalyzed": true, "packageVerificationCode": {"packageVerificationCodeValue": "`+imageCode+`"}
	}]`, got.Packages)
	compareJSON(t, "files", `[{
		"SPDXID": "SPDXRef-File-lib-b.so-6aab3273e567ecff", "fileName": "./lib/b.so", "fileTypes": ["BINARY"], "copyrightText": "NOASSERTION",
		"checksums": [{"algorithm": "SHA1", "checksumValue": "`+sum("b", 20)+`"}, {"algorithm": "SHA256", "checksumValue": "`+sum("e", 32)+`"}]
	}, {
		"SPDXID": "SPDXRef-File-lib-c.so-6f347267815e8677", "fileName": "./lib/c.so", "fileTypes": ["BINARY"], "copyrightText": "NOASSERTION",
		"checksums": [{"algorithm": "SHA1", "checksumValue": "`+sum("9", 20)+`"}, {"algorithm": "SHA256", "checksumValue": "`+sum("f", 32)+`"}]
	}, {
		"SPDXID": "SPDXRef-File-lib-d.so-8e619be7960316ba", "fileName": "./lib/d.so", "fileTypes": ["BINARY"], "copyrightText": "NOASSERTION",
		"checksums": [{"algorithm": "SHA1", "checksumValue": "`+sum("a", 20)+`"}, {"algorithm": "SHA256", "checksumValue": "`+sum("8", 32)+`"}]
	}, {
		"SPDXID": "SPDXRef-File-share-x.sql-164d6ea2ed2407ad", "fileName": "./share/x.sql", "fileTypes": ["SOURCE"], "copyrightText": "NOASSERTION",
		"checksums": [{"algorithm": "SHA1", "checksumValue": "`+sum("c", 20)+`"}, {"algorithm": "SHA256", "checksumValue": "`+sum("0", 32)+`"}],
		"comment": "file note"
	}]`, got.Files)
}

// TestCycloneDXFields compares every field of the CycloneDX components with the
// document: a missing or exchanged value is a difference.
func TestCycloneDXFields(t *testing.T) {
	var got struct {
		Metadata   map[string]any   `json:"metadata"`
		Components []map[string]any `json:"components"`
	}
	data := cyclonedxOf(t, fieldsDocument())
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	compareJSON(t, "metadata", `{
		"timestamp": "2026-01-02T03:04:05Z",
		"tools": {"components": [{"type": "application", "name": "pgext", "version": "output-7"}]},
		"component": {
			"bom-ref": "image", "type": "container", "name": "image-name", "version": "image-version", "description": "image summary",
			"hashes": [{"alg": "SHA-256", "content": "`+sum("d", 32)+`"}],
			"licenses": [{"expression": "Zlib", "acknowledgement": "declared"}],
			"purl": "pkg:oci/image-name@sha256%3A`+sum("d", 32)+`?arch=arm64&tag=image-tag",
			"externalReferences": [{"type": "website", "url": "https://image.example/"}]
		}
	}`, got.Metadata)
	compareJSON(t, "components", `[{
		"bom-ref": "package:person-package", "type": "library", "name": "person-package", "version": "1-1",
		"supplier": {"name": "A. Person", "contact": [{"email": "person@example.org"}]},
		"description": "package summary",
		"hashes": [{"alg": "SHA-256", "content": "`+sum("1", 32)+`"}],
		"licenses": [{"expression": "LicenseRef-own-064545f991197adc", "acknowledgement": "declared", "expressionDetails": [
			{"licenseIdentifier": "LicenseRef-own-064545f991197adc", "text": {"contentType": "text/plain", "content": "licence text"}}]}],
		"copyright": "2001 First\n2002 Second",
		"purl": "pkg:deb/debian/person-package@1-1?arch=arm64&distro=debian-13&upstream=source%401-0",
		"externalReferences": [{"type": "website", "url": "https://package.example/"}, {"type": "distribution", "url": "https://deb.example/person.deb"}],
		"properties": [{"name": "pgext:symbolic-link", "value": "\"lib/link.so\" -> \"b.so\""}],
		"components": [{
			"bom-ref": "file:lib/b.so", "type": "file", "name": "lib/b.so",
			"hashes": [{"alg": "SHA-1", "content": "`+sum("b", 20)+`"}, {"alg": "SHA-256", "content": "`+sum("e", 32)+`"}]
		}, {
			"bom-ref": "file:lib/c.so", "type": "file", "name": "lib/c.so",
			"hashes": [{"alg": "SHA-1", "content": "`+sum("9", 20)+`"}, {"alg": "SHA-256", "content": "`+sum("f", 32)+`"}]
		}, {
			"bom-ref": "file:lib/d.so", "type": "file", "name": "lib/d.so",
			"hashes": [{"alg": "SHA-1", "content": "`+sum("a", 20)+`"}, {"alg": "SHA-256", "content": "`+sum("8", 32)+`"}]
		}]
	}, {
		"bom-ref": "package:team-package", "type": "library", "name": "team-package", "version": "2",
		"supplier": {"name": "Debian Team", "contact": [{"email": "team@lists.debian.org"}]},
		"licenses": [{"expression": "MIT", "acknowledgement": "declared"}],
		"purl": "pkg:deb/debian/team-package@2?arch=all&distro=debian-13"
	}, {
		"bom-ref": "file:share/x.sql", "type": "file", "name": "share/x.sql", "description": "file note",
		"hashes": [{"alg": "SHA-1", "content": "`+sum("c", 20)+`"}, {"alg": "SHA-256", "content": "`+sum("0", 32)+`"}],
		"properties": [{"name": "pgext:generated-from", "value": "package:person-package"}]
	}]`, got.Components)
}

// compareJSON compares a decoded value with a JSON text.
func compareJSON(t *testing.T, what, want string, got any) {
	t.Helper()
	decode := func(text []byte) (v any) {
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return v
	}
	encoded, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decode([]byte(want)), decode(encoded)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestPinnedBytes compares the digests of two documents with fixed ones. A change
// of the bytes requires a new image.OutputVersion and a change of this table.
func TestPinnedBytes(t *testing.T) {
	if image.OutputVersion != 1 {
		t.Errorf("image.OutputVersion = %d, the digests are those of version 1", image.OutputVersion)
	}
	for _, tc := range []struct {
		name, want string
		data       []byte
	}{
		{"SPDX", "090f02e0bd77cedd81a881781d3b9d3a432b2884e4eeb565e39002da0c0bc2ef", spdxOf(t, sample())},
		{"CycloneDX", "6de736c2adc1167fb4b498ff4acfe5e5f2777ad1f46875606ef20b01d38bfc9b", cyclonedxOf(t, sample())},
	} {
		if got := digest.SHA256(tc.data); got != tc.want {
			t.Errorf("%s: got SHA-256 %s, want %s", tc.name, got, tc.want)
		}
	}
}
