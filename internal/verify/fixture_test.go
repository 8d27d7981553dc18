package verify

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/license"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
	"github.com/pgext/pgext/sbom"
	"github.com/pgext/pgext/sign"
)

const theRecipe = `name: thing
source:
  deb:
    packages: ["postgresql-${pg}-thing"]
targets:
  - {distro: forky, postgres: [18], archs: [amd64, arm64]}
`

var created = time.Date(2026, 9, 1, 8, 30, 0, 0, time.UTC)

// hexOf returns the SHA-256 digest of a name.
func hexOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

func digestOf(name string) string { return "sha256:" + hexOf(name) }

// build has the inputs of the documents of one image, so that a test can change
// one of them.
type build struct {
	arch     string
	digest   string
	tree     filetree.Tree
	document sbom.Document
	recipe   string
	pins     lock.Target
	labels   map[string]string
	internal provenance.Internal
	upstream *provenance.Upstream
	debFiles []recipe.DebFile
	patches  []provenance.NamedFile
	// annotations are those of the command line.
	annotations map[string]string
}

// newBuild returns the build of one architecture.
func newBuild(t *testing.T, arch string) build {
	t.Helper()
	m := build{arch: arch, digest: digestOf("manifest of " + arch), recipe: theRecipe}
	r, err := recipe.Parse("recipe.yaml", []byte(theRecipe))
	if err != nil {
		t.Fatal(err)
	}
	targets, err := r.Select(recipe.Selection{Archs: []string{arch}})
	if err != nil {
		t.Fatal(err)
	}
	m.pins = lock.Target{
		Distro: "forky", Postgres: 18, Arch: arch, Recipe: recipe.ResolutionChecksum(targets[0], arch),
		Archives: []lock.Archive{{Name: "debian", Suite: "forky", InRelease: hexOf("InRelease"), Date: created, Fingerprint: strings.Repeat("AB", 20)}},
		Base:     lock.Base{Name: "cnpg-minimal", Postgres: "18.6", Checksum: digestOf("base")},
		Packages: []lock.Package{
			{Package: "liba1", Version: "1:2-1", Arch: arch, Source: "a", SourceVersion: "1:2-1", Role: lock.Library, Size: 1, SHA256: hexOf("liba1"), Archive: "debian", Path: "pool/liba1.deb"},
			{Package: "postgresql-18-thing", Version: "1.0-1", Arch: arch, Source: "thing", SourceVersion: "1.0-1", Role: lock.Extension, Size: 1, SHA256: hexOf("thing"), Archive: "debian", Path: "pool/thing.deb"},
		},
	}
	m.internal = provenance.Internal{Output: 1, Image: "thing", Version: "1.0", Tag: "1.0-18-forky", Created: created}
	m.files(t)
	m.describe(t)
	return m
}

// files sets the files of the image and the SBOM that lists them.
func (m *build) files(t *testing.T) {
	t.Helper()
	m.document = sbom.Document{OutputVersion: 1, Image: sbom.Image{Name: "thing", Version: "1.0", Tag: "1.0-18-forky", Arch: m.arch, Digest: m.digest, Created: created}}
	for _, p := range m.pins.Packages {
		m.document.Packages = append(m.document.Packages, sbom.Package{
			Name: p.Package, Version: p.Version, Arch: p.Arch, Distro: "debian-14", SHA256: p.SHA256,
			License: license.License{Expression: "PostgreSQL"},
		})
	}
	entries := []filetree.Entry{
		{Path: "lib", Kind: filetree.Dir},
		{Path: "system/liba.so", Kind: filetree.Symlink, Link: "liba.so.1"},
	}
	m.document.Links = []sbom.Link{{Path: "system/liba.so", Target: "liba.so.1", Package: "liba1"}}
	for path, owner := range map[string]string{
		"lib/thing.so": "postgresql-18-thing", "system/liba.so.1": "liba1", "usr/lib/os-release": "",
	} {
		content := []byte(path + " of " + m.arch)
		one, two := sha1.Sum(content), sha256.Sum256(content)
		entries = append(entries, filetree.Entry{Path: path, Kind: filetree.File, Size: int64(len(content)), SHA256: hex.EncodeToString(two[:])})
		m.document.Files = append(m.document.Files, sbom.File{Path: path, SHA1: hex.EncodeToString(one[:]), SHA256: hex.EncodeToString(two[:]), Package: owner})
	}
	var err error
	if m.tree, err = filetree.New(entries); err != nil {
		t.Fatal(err)
	}
}

// describe sets the labels of the image.
func (m *build) describe(t *testing.T) {
	t.Helper()
	var err error
	m.labels, err = metadata.Description{
		Created: created, Version: "1.0", Title: "thing", BaseName: "cnpg-minimal", Postgres: 18, Distro: "forky",
	}.Labels(metadata.Metadata{
		Name: "thing", Image: "thing", Version: "1.0", Distro: "forky", Postgres: 18, Arch: m.arch,
		Base: metadata.Base{Name: "cnpg-minimal", Postgres: "18.6"},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// statement returns the provenance of the image.
func (m build) statement(t *testing.T) provenance.Statement {
	t.Helper()
	s, err := provenance.New(provenance.Input{
		Digest: m.digest, Recipe: []byte(m.recipe), Pins: m.pins, Compression: "gzip", Internal: m.internal, Upstream: m.upstream, Annotations: m.annotations,
		Files: m.debFiles, Patches: m.patches,
		Locate: func(archive, path string) (string, error) { return "https://" + archive + ".example/" + path, nil },
		PURL:   func(p lock.Package) string { return "pkg:deb/debian/" + p.Package + "@" + p.Version },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// documents returns the documents attached to the manifest.
func (m build) documents(t *testing.T) []Document {
	t.Helper()
	spdx, err := m.document.SPDX()
	if err != nil {
		t.Fatal(err)
	}
	cdx, err := m.document.CycloneDX()
	if err != nil {
		t.Fatal(err)
	}
	origin, err := m.statement(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return []Document{{SPDX, spdx}, {CycloneDX, cdx}, {Provenance, origin}}
}

// image returns the image as read from a registry.
func (m build) image(t *testing.T) Image {
	t.Helper()
	i := Image{
		Platform: "linux/" + m.arch, Arch: m.arch, Digest: m.digest, Created: created, Labels: m.labels, Tree: m.tree,
		Documents: m.documents(t),
	}
	for _, p := range m.pins.Packages {
		i.Packages = append(i.Packages, layout.Installed{Package: p.Package, Version: p.Version, Arch: p.Arch})
	}
	return i
}

var (
	theKey     = sign.Who{Key: "SHA256:" + strings.Repeat("ab", 32)}
	theRelease = sign.Who{Identity: "https://github.com/octo/images/.github/workflows/release.yml@refs/heads/main", Issuer: "https://token.actions.githubusercontent.com"}
)

func hash(t *testing.T, digest string) v1.Hash {
	t.Helper()
	h, err := v1.NewHash(digest)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// signed returns the verdict about a digest with one signature.
func signed(t *testing.T, digest string, by sign.Who) sign.Verdict {
	t.Helper()
	h := hash(t, digest)
	return sign.Verdict{Subject: h, Signatures: []sign.VerifiedSignature{{Subject: h, By: by}}}
}

// attest adds attestations of the documents to a verdict. The provenance gets the
// invocation of a workflow.
func attest(t *testing.T, v sign.Verdict, documents []Document, by sign.Who) sign.Verdict {
	t.Helper()
	for _, d := range documents {
		predicate := d.Content
		if d.Predicate == Provenance {
			s, err := provenance.Parse(d.Content)
			if err != nil {
				t.Fatal(err)
			}
			if predicate, err = s.WithInvocation(provenance.Invocation{BuilderID: theRelease.Identity, ID: "run/1"}).Predicate.Encode(); err != nil {
				t.Fatal(err)
			}
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, predicate); err != nil {
			t.Fatal(err)
		}
		v.Attestations = append(v.Attestations, sign.VerifiedAttestation{
			VerifiedSignature: sign.VerifiedSignature{Subject: v.Subject, By: by}, PredicateType: d.Predicate,
			Statement: fmt.Appendf(nil, `{"_type":%q,"predicateType":%q,"predicate":%s}`, provenance.StatementType, d.Predicate, &compact),
		})
	}
	return v
}

// published returns an index of two architectures with all documents, signed by
// a workflow.
func published(t *testing.T) Input {
	t.Helper()
	in := Input{Index: digestOf("index"), Trusted: true, Verdicts: []sign.Verdict{signed(t, digestOf("index"), theRelease)}}
	for _, arch := range []string{"amd64", "arm64"} {
		i := newBuild(t, arch).image(t)
		in.Images = append(in.Images, i)
		in.Verdicts = append(in.Verdicts, attest(t, signed(t, i.Digest, theRelease), i.Documents, theRelease))
	}
	return in
}

// rebuilt returns published with the documents and attestations of the first image
// made from a changed build.
func rebuilt(t *testing.T, change func(*build)) Input {
	t.Helper()
	in := published(t)
	m := newBuild(t, "amd64")
	change(&m)
	in.Images[0].Documents = m.documents(t)
	in.Verdicts[1] = attest(t, signed(t, in.Images[0].Digest, theRelease), in.Images[0].Documents, theRelease)
	return in
}
