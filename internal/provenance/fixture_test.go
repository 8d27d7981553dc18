package provenance

import (
	"strings"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
)

// theRecipe has a comment and a blank line, which only an unchanged copy preserves.
const theRecipe = `# vectors

name: pgvector
image: pgvector-extension
source:
  deb:
    packages: ["postgresql-${pg}-pgvector"]
    files:
    - {path: ../debs/vendor.deb, sha256: ` + hex64b + `}
    - {url: "https://vendor.example/a/b.deb?token=secret", sha256: ` + hex64c + `}
`

const (
	hex64a = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	hex64b = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	hex64c = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
	hex64d = "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
)

var built = time.Date(2026, 9, 1, 8, 30, 0, 0, time.UTC)

func pins() lock.Target {
	return lock.Target{
		Distro: "forky", Postgres: 18, Arch: "amd64", Recipe: "sha256:" + hex64a,
		Archives: []lock.Archive{{
			Name: "debian", Suite: "forky", InRelease: hex64d, Date: built,
			Fingerprint: strings.Repeat("AB", 20), ExpiredAllowed: true,
		}},
		Base: lock.Base{Name: "cnpg-minimal", Postgres: "18.6", Checksum: "sha256:" + hex64c},
		Packages: []lock.Package{
			{
				Package: "libx1", Version: "1:2.0+dfsg~rc1-1+b2", Arch: "amd64", Source: "x", SourceVersion: "1:2.0+dfsg~rc1-1",
				Role: lock.Library, Size: 9, SHA256: hex64d, SHA512: hex64a + hex64a, Archive: "debian", Path: "pool/main/x/libx1.deb",
			},
			{
				Package: "postgresql-18-pgvector", Version: "0.8.1-1", Arch: "amd64", Source: "pgvector", SourceVersion: "0.8.1-1",
				Role: lock.Extension, Size: 10, SHA256: hex64a, Archive: "debian", Path: "pool/main/p/pgvector.deb",
			},
			{
				Package: "vendor", Version: "1", Arch: "all", Source: "vendor", SourceVersion: "1",
				Role: lock.Extension, Size: 11, SHA256: hex64b,
			},
			{
				Package: "vendor-web", Version: "1", Arch: "all", Source: "vendor", SourceVersion: "1",
				Role: lock.Extension, Size: 12, SHA256: hex64c,
			},
		},
	}
}

// input is a build with every optional field.
func input() Input {
	epoch := built
	return Input{
		Digest: "sha256:" + hex64a, Recipe: []byte(theRecipe), Pins: pins(), Compression: "gzip",
		Epoch: &epoch, Revision: 2, Annotations: map[string]string{"org.example.B": "<2>", "org.example.b": "1"},
		Files: []recipe.DebFile{
			{Path: "../debs/vendor.deb", SHA256: hex64b},
			{URL: "https://vendor.example/a/b.deb?token=secret", SHA256: hex64c},
		},
		Patches: []NamedFile{
			{Path: "patches/one.patch", Content: []byte("--- a\n+++ b\n")},
			{Path: "patches/latin1.patch", Content: []byte("caf\xe9\n")},
		},
		Upstream: &Upstream{URL: "https://me:secret@upstream.example/v1.tar.gz", SHA256: hex64d},
		Internal: Internal{
			Output: 1, Image: "pgvector-extension", Version: "0.8.1", Tag: "0.8.1-18-forky", Created: built,
			Rewrites: []Rewrite{{Path: "share/extension/vector.control", Package: "postgresql-18-pgvector", From: "usr/share/postgresql/18/extension/vector.control", Change: "1 × $libdir/"}},
		},
		Locate: func(archive, path string) (string, error) {
			return "https://" + archive + ".example/root/" + path, nil
		},
		PURL: func(p lock.Package) string {
			return "pkg:deb/debian/" + p.Package + "@" + p.Version + "?arch=" + p.Arch
		},
		Program: Program{Version: "v1.2.3", Sum: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
	}
}

func statement(tb testing.TB, change ...func(*Input)) Statement {
	tb.Helper()
	in := input()
	for _, c := range change {
		c(&in)
	}
	s, err := New(in)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func encoded(tb testing.TB, s Statement) []byte {
	tb.Helper()
	data, err := s.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}
