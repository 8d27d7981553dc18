package sbom

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/license"
)

// TestTwice writes documents again, with their lists in any order.
func TestTwice(t *testing.T) {
	first, firstBOM := spdxOf(t, sample()), cyclonedxOf(t, sample())
	for seed := range uint64(20) {
		d := shuffled(sample(), seed)
		if got := spdxOf(t, d); !bytes.Equal(got, first) {
			t.Fatalf("SPDX of another order differs:\n%s\n%s", got, first)
		}
		if got := cyclonedxOf(t, d); !bytes.Equal(got, firstBOM) {
			t.Fatalf("CycloneDX of another order differs:\n%s\n%s", got, firstBOM)
		}
	}
}

// TestOwnName gives every document another name, and the same one the same.
func TestOwnName(t *testing.T) {
	other := sample()
	other.Files[0].SHA256 = sum("9", 32)
	for name, write := range map[string]func(testing.TB, Document) []byte{"SPDX": spdxOf, "CycloneDX": cyclonedxOf} {
		one, two := write(t, sample()), write(t, other)
		if bytes.Contains(one, []byte(blank)) {
			t.Errorf("%s has no name", name)
		}
		if len(one) != len(two) || bytes.Equal(one[:300], two[:300]) {
			t.Errorf("%s of two images: the same name in\n%s", name, one[:300])
		}
	}
}

// TestRefused lists documents that contradict themselves.
func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		change     func(*Document)
	}{
		{"no digest", "no SHA-256 digest of a manifest", func(d *Document) { d.Image.Digest = "sha256:1" }},
		{"no version", "needs a name, a version", func(d *Document) { d.Image.Version = "" }},
		{"image's licence", "no SPDX expression", func(d *Document) { d.Image.License = "MIT AND" }},
		{"no licence", "nothing is said about its licence", func(d *Document) { d.Packages[0].License = license.License{} }},
		{"licence", "no SPDX expression", func(d *Document) { d.Packages[0].License.Expression = "as you like" }},
		{"package twice", "package proj-data appears twice", func(d *Document) { d.Packages[0].Name = "proj-data" }},
		{"digest of a package", "no SHA-256 digest", func(d *Document) { d.Packages[0].SHA256 = "x" }},
		{"path", "no path", func(d *Document) { d.Files[0].Path = "../x" }},
		{"file twice", "usr/lib/os-release appears twice", func(d *Document) { d.Files[0].Path = "usr/lib/os-release" }},
		{"file and link", "lib/geo-3.so appears twice", func(d *Document) { d.Files[0].Path = "lib/geo-3.so" }},
		{"owner", "its package nobody is not among", func(d *Document) { d.Files[0].Package = "nobody" }},
		{"owner of a link", "its package nobody is not among", func(d *Document) { d.Links[0].Package = "nobody" }},
		{"origin", "made from \"nobody\"", func(d *Document) { d.Files[2].From = "nobody" }},
		{"owner and origin", "cannot be of package", func(d *Document) { d.Files[0].From = "proj-data" }},
		{"of a source", "an archive of sources", func(d *Document) { d.Files[0].Package = "geo" }},
		{"no SHA-1", "not its SHA-256 and SHA-1", func(d *Document) { d.Files[0].SHA1 = "" }},
		{"upper case", "not its SHA-256 and SHA-1", func(d *Document) { d.Files[0].SHA256 = sum("A", 32) }},
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

// TestPURL has what syft says about the same control paragraphs; the scanner's
// own test compares whole images.
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
		{"nobody", "nobody", "", false},
		{"", "", "", false},
	} {
		name, address, organization := supplier(tc.in)
		if name != tc.name || address != tc.address || organization != tc.organization {
			t.Errorf("supplier(%q) = %q, %q, %v", tc.in, name, address, organization)
		}
	}
}
