package sbom

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/license"
)

// TestDeterministic checks that the encoding does not depend on the order of lists.
func TestDeterministic(t *testing.T) {
	first, firstBOM := spdxOf(t, sample()), cyclonedxOf(t, sample())
	for seed := range uint64(20) {
		d := shuffled(sample(), seed)
		if got := spdxOf(t, d); !bytes.Equal(got, first) {
			t.Fatalf("SPDX with lists in another order differs:\n%s\n%s", got, first)
		}
		if got := cyclonedxOf(t, d); !bytes.Equal(got, firstBOM) {
			t.Fatalf("CycloneDX with lists in another order differs:\n%s\n%s", got, firstBOM)
		}
	}
}

// TestUUID checks that documents have a UUID that depends on their contents.
func TestUUID(t *testing.T) {
	other := sample()
	other.Files[0].SHA256 = sum("9", 32)
	for name, write := range map[string]func(testing.TB, Document) []byte{"SPDX": spdxOf, "CycloneDX": cyclonedxOf} {
		one, two := write(t, sample()), write(t, other)
		if bytes.Contains(one, []byte(blank)) {
			t.Errorf("%s has no UUID", name)
		}
		if len(one) != len(two) || bytes.Equal(one[:300], two[:300]) {
			t.Errorf("%s: two images have the same UUID:\n%s", name, one[:300])
		}
	}
}

// TestInconsistent checks the errors of inconsistent documents.
func TestInconsistent(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		change     func(*Document)
	}{
		{"no digest", "is not a SHA-256 digest", func(d *Document) { d.Image.Digest = "sha256:1" }},
		{"no version", "needs a name, a version", func(d *Document) { d.Image.Version = "" }},
		{"image's licence", "not a valid SPDX expression", func(d *Document) { d.Image.License = "MIT AND" }},
		{"no licence", "no licence", func(d *Document) { d.Packages[0].License = license.License{} }},
		{"licence", "not a valid SPDX expression", func(d *Document) { d.Packages[0].License.Expression = "as you like" }},
		{"package twice", "duplicate package proj-data", func(d *Document) { d.Packages[0].Name = "proj-data" }},
		{"digest of a package", "is not a SHA-256 digest", func(d *Document) { d.Packages[0].SHA256 = "x" }},
		{"path", "invalid path", func(d *Document) { d.Files[0].Path = "../x" }},
		{"file twice", "duplicate path usr/lib/os-release", func(d *Document) { d.Files[0].Path = "usr/lib/os-release" }},
		{"file and link", "duplicate path lib/geo-3.so", func(d *Document) { d.Files[0].Path = "lib/geo-3.so" }},
		{"owner", "package missing is not in the document", func(d *Document) { d.Files[0].Package = "missing" }},
		{"owner of a link", "package missing is not in the document", func(d *Document) { d.Links[0].Package = "missing" }},
		{"origin", "package missing is not in the document", func(d *Document) { d.Files[2].From = "missing" }},
		{"owner and origin", "both Package", func(d *Document) { d.Files[0].From = "proj-data" }},
		{"of a source", "is a source archive", func(d *Document) { d.Files[0].Package = "geo" }},
		{"no SHA-1", "are not SHA-256 and SHA-1 digests", func(d *Document) { d.Files[0].SHA1 = "" }},
		{"upper case", "are not SHA-256 and SHA-1 digests", func(d *Document) { d.Files[0].SHA256 = sum("A", 32) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := sample()
			tc.change(&d)
			for _, write := range []func() ([]byte, error){d.SPDX, d.CycloneDX} {
				if _, err := write(); err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("error = %v, want one with %q", err, tc.want)
				}
			}
		})
	}
}

// TestPURL compares with URLs that syft computes for the same control paragraphs. The
// test of testdata/scanner compares whole images.
func TestPURL(t *testing.T) {
	for _, tc := range []struct {
		want string
		p    Package
	}{
		{"pkg:deb/debian/a@1?arch=all&distro=debian-14", Package{Name: "a", Version: "1", Arch: "all", Distro: "debian-14"}},
		{"pkg:deb/debian/a@1?arch=amd64&distro=debian", Package{Name: "a", Version: "1", Arch: "amd64", Distro: "debian"}},
		{"pkg:deb/debian/a@1%3A2~rc%2Bdfsg-1?arch=arm64&distro=debian-13&upstream=b%401%3A2~rc", Package{Name: "a", Version: "1:2~rc+dfsg-1", Arch: "arm64", Distro: "debian-13", Source: "b", SourceVersion: "1:2~rc"}},
		{"pkg:deb/debian/libstdc%2B%2B6@1?arch=amd64&distro=debian-14&upstream=gcc-16", Package{Name: "libstdc++6", Version: "1", Arch: "amd64", Distro: "debian-14", Source: "gcc-16"}},
		{"", Package{Name: "a", Version: "1"}},
		{"pkg:generic/a@1", Package{Kind: Upstream, Name: "a", Version: "1"}},
		{"pkg:generic/a@1?checksum=sha256%3A" + sum("1", 32) + "&download_url=https%3A%2F%2Fx.example%2Fa%20b.tgz", Package{Kind: Upstream, Name: "a", Version: "1", SHA256: sum("1", 32), DownloadLocation: "https://x.example/a b.tgz"}},
	} {
		if got := tc.p.PURL(); got != tc.want {
			t.Errorf("PURL() of %+v\n got %s\nwant %s", tc.p, got, tc.want)
		}
	}
}

func TestSupplier(t *testing.T) {
	for _, tc := range []struct {
		in, name, address string
		organization      bool
	}{
		{"Christoph Berg <myon@debian.org>", "Christoph Berg", "myon@debian.org", false},
		{"Debian PostgreSQL Maintainers <team+postgresql@tracker.debian.org>", "Debian PostgreSQL Maintainers", "team+postgresql@tracker.debian.org", true},
		{"\"Someone\"\n <a@lists.debian.org>", "Someone", "a@lists.debian.org", true},
		{"<a@example.org>", "a@example.org", "", false},
		{"solo", "solo", "", false},
		{"", "", "", false},
	} {
		name, address, organization := supplier(tc.in)
		if name != tc.name || address != tc.address || organization != tc.organization {
			t.Errorf("supplier(%q) = %q, %q, %v", tc.in, name, address, organization)
		}
	}
}
