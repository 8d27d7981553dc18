package sbom

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/license"
)

func sum(c string, n int) string { return strings.Repeat(c, 2*n) }

// sample returns a document with special cases: a package name with "+", a version
// with a tilde, two licence references with equal names and different texts, a source
// archive, rewritten and generated files, links, and unusual paths.
func sample() Document {
	ref := func(id, text string) license.License {
		return license.License{Expression: "MIT AND " + id, References: []license.Reference{{ID: id, Name: "n", Text: text}}}
	}
	return Document{
		OutputVersion: 1,
		Image: Image{
			Name: "geo", Version: "3.1", Tag: "3.1-18-forky", Arch: "amd64", Digest: "sha256:" + sum("d", 32),
			Created: time.Date(2026, 3, 4, 5, 6, 7, 8, time.FixedZone("", 3600)), Summary: "maps <in> SQL & more", Homepage: "https://geo.example/",
		},
		Packages: []Package{
			{
				Name: "libstdc++6", Version: "1:16~rc1+dfsg-3+b1", Arch: "amd64", Distro: "debian-14", Source: "gcc-16", SourceVersion: "1:16~rc1+dfsg-3",
				Supplier: "Debian GCC Maintainers <debian-gcc@lists.debian.org>", SHA256: sum("1", 32),
				DownloadLocation: "https://deb.example/pool/l.deb", License: ref("LicenseRef-public-domain", "take it"),
			},
			{
				Name: "postgresql-18-geo", Version: "3.1-1", Arch: "amd64", Distro: "debian-14", Source: "geo",
				Supplier: "A. Person <a@example.org>", Summary: "geography", Homepage: "https://geo.example/", SHA256: sum("2", 32),
				License: ref("LicenseRef-public-domain", "keep it"), Copyright: "2001 A\n2002 B",
			},
			{Name: "proj-data", Version: "9", Arch: "all", Distro: "debian", SHA256: sum("3", 32), License: ref("LicenseRef-public-domain", "take it")},
			{Kind: Upstream, Name: "geo", Version: "3.1", SHA256: sum("4", 32), DownloadLocation: "https://geo.example/geo-3.1.tar.gz", License: license.License{Expression: "PostgreSQL"}},
		},
		Files: []File{
			{Path: "lib/geo.so", SHA1: sum("a", 20), SHA256: sum("a", 32), Package: "postgresql-18-geo"},
			{Path: "system/libstdc++.so.6", SHA1: sum("b", 20), SHA256: sum("b", 32), Package: "libstdc++6"},
			{Path: "share/extension/geo--3.1.sql", SHA1: sum("c", 20), SHA256: sum("c", 32), From: "postgresql-18-geo", Note: "rewritten: $libdir/geo"},
			{Path: "share/extension/geo++3.1.sql", SHA1: sum("c", 20), SHA256: sum("c", 32), Package: "postgresql-18-geo"},
			{Path: "usr/lib/os-release", SHA1: sum("e", 20), SHA256: sum("e", 32), Note: "made by pgext"},
			{Path: "lib/fromsource.so", SHA1: sum("f", 20), SHA256: sum("f", 32), From: "geo", Note: "compiled"},
			{Path: "share/a \"b\" -> ä\n", SHA1: sum("0", 20), SHA256: sum("0", 32), Package: "proj-data"},
		},
		Links: []Link{
			{Path: "lib/geo-3.so", Target: "geo.so", Package: "postgresql-18-geo"},
			{Path: "lib/\"x\" -> y", Target: "a\" -> \"b"},
		},
	}
}

// shuffled returns a document with its lists in another order.
func shuffled(d Document, seed uint64) Document {
	r := rand.New(rand.NewPCG(seed, seed))
	d.Packages, d.Files, d.Links = append([]Package{}, d.Packages...), append([]File{}, d.Files...), append([]Link{}, d.Links...)
	r.Shuffle(len(d.Packages), func(i, j int) { d.Packages[i], d.Packages[j] = d.Packages[j], d.Packages[i] })
	r.Shuffle(len(d.Files), func(i, j int) { d.Files[i], d.Files[j] = d.Files[j], d.Files[i] })
	r.Shuffle(len(d.Links), func(i, j int) { d.Links[i], d.Links[j] = d.Links[j], d.Links[i] })
	return d
}

// spdxOf writes a document as SPDX.
func spdxOf(tb testing.TB, d Document) []byte {
	tb.Helper()
	b, err := d.SPDX()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// cyclonedxOf writes a document as CycloneDX.
func cyclonedxOf(tb testing.TB, d Document) []byte {
	tb.Helper()
	b, err := d.CycloneDX()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
