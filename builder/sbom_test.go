package builder_test

import (
	"crypto/sha1"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/cache/cachetest"
	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/imagemeta"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
	"github.com/pgext/pgext/internal/testmirror"
	"github.com/pgext/pgext/layout"
	"github.com/pgext/pgext/sbom"
	"github.com/pgext/pgext/sbom/sbomtest"
)

// mirrored are real packages of forky, and the pins that name them.
type mirrored struct {
	cache    *cache.Cache
	index    []testmirror.Package
	packages []layout.Package
	pins     lock.Target
}

// index is that of forky, read once.
var index []testmirror.Package

func forky(tb testing.TB) []testmirror.Package {
	tb.Helper()
	if index == nil {
		index = testmirror.All(tb, "forky", "amd64")
	}
	return index
}

// add reads a package of the mirror.
func (m *mirrored) add(tb testing.TB, name string, role lock.Role) layout.Package {
	tb.Helper()
	i := slices.IndexFunc(m.index, func(p testmirror.Package) bool { return p.Name == name })
	if i < 0 {
		tb.Fatalf("forky has no package %s", name)
	}
	f, err := os.Open(testmirror.Get(tb, m.index[i].Filename, m.index[i].SHA256))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	sha, size := cachetest.Put(tb, m.cache, f)
	c, err := debinfo.New(m.cache, debinfo.Options{}).Scan(tb.Context(), sha, func(filetree.Entry) bool { return true })
	if err != nil {
		tb.Fatal(err)
	}
	p := layout.Package{
		Name: name, Version: c.Control.Get("Version"), Arch: c.Control.Get("Architecture"),
		Role: role, Control: c.Control, Scripts: c.Scripts, Tree: c.Tree, Objects: c.Objects,
	}
	var sourceVersion string
	p.Source, sourceVersion = debian.SplitSource(c.Control.Get("Source"), p.Name, p.Version)
	m.packages = append(m.packages, p)
	m.pins.Packages = append(m.pins.Packages, lock.Package{
		Package: name, Version: p.Version, Arch: p.Arch, Source: p.Source, SourceVersion: sourceVersion,
		Role: role, Size: size, SHA256: sha, Archive: "debian", Path: "pool/" + name + ".deb",
	})
	return p
}

// built arranges an image of packages of the mirror: the extension's, then
// libraries with the packages that have their copyright files.
func built(tb testing.TB, extension, libraries []string) (*builder.Builder, builder.Built) {
	tb.Helper()
	c := cachetest.Open(tb)
	m := mirrored{cache: c, index: forky(tb), pins: lock.Target{Distro: "forky", Postgres: 18, Arch: "amd64"}}
	in := layout.Input{Name: "thing", Postgres: 18, Distro: "forky", BaseHas: func(string) bool { return false }}
	for _, name := range extension {
		m.add(tb, name, lock.Extension)
	}
	for _, name := range libraries {
		p := m.add(tb, name, lock.Library)
		for path, o := range p.Objects {
			if o.Type == "dyn" && o.SONAME != "" && strings.Count(path, "/") == 3 {
				in.Libraries = append(in.Libraries, elf.NewProvider(name, path, o))
			}
		}
		owner := layout.CopyrightOwner(p)
		if !slices.ContainsFunc(m.packages, func(p layout.Package) bool { return p.Name == owner }) {
			m.add(tb, owner, lock.Data)
		}
	}
	slices.SortFunc(m.pins.Packages, func(a, b lock.Package) int { return strings.Compare(a.Package, b.Package) })
	in.Packages = m.packages
	arranged, err := layout.Arrange(in)
	if err != nil {
		tb.Fatal(err)
	}
	r := &recipe.Recipe{Name: "thing", Image: "thing-extension", Rewrite: recipe.RewriteAuto}
	target := recipe.Target{Distro: "forky", Postgres: 18, Archs: []string{"amd64"}}
	b := builder.New(session.New(session.Options{Cache: c}))
	out := builder.Built{
		Recipe: r, Target: target, Pins: m.pins, Packages: m.packages, Arranged: arranged, Tag: "1-18-forky",
		Description: imagemeta.Describe(imagemeta.Input{Recipe: r, Target: target, Arch: "amd64", Main: m.packages[0], Layout: arranged}),
	}
	if out.Image, out.Epoch, err = b.Image(tb.Context(), "amd64", arranged, out.Description); err != nil {
		tb.Fatal(err)
	}
	return b, out
}

// TestBill lists what images of real packages are made of: one package, and
// one of everything that is odd (rewritten scripts in a second package, names
// with "+", a copyright file for people, another package's copyright file).
func TestBillOfRealPackages(t *testing.T) {
	for _, tc := range []struct {
		name                 string
		extension, libraries []string
	}{
		{name: "pgvector", extension: []string{"postgresql-18-pgvector"}},
		{
			name:      "postgis",
			extension: []string{"postgresql-18-postgis-3", "postgresql-18-postgis-3-scripts"},
			libraries: []string{"libmpfr6", "libstdc++6"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, in := built(t, tc.extension, tc.libraries)
			d, err := b.Bill(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			checkOwners(t, d, in)
			text, err := d.SPDX()
			if err != nil {
				t.Fatal(err)
			}
			sbomtest.Check(t, text)
			inv, err := sbom.ReadSPDX(text)
			if err != nil {
				t.Fatal(err)
			}
			if digest, err := in.Image.Digest(); err != nil || inv.Digest != digest.String() {
				t.Errorf("digest = %s, want %s, %v", inv.Digest, digest, err)
			}
			if !inv.Created.Equal(in.Epoch.Truncate(time.Second)) {
				t.Errorf("created %v, want %v", inv.Created, in.Epoch)
			}
			bom, err := d.CycloneDX()
			if err != nil {
				t.Fatal(err)
			}
			if err := sbomtest.CycloneDX(t, bom); err != nil {
				t.Error(err)
			}
			again, err := b.Bill(t.Context(), in)
			if diff := cmp.Diff(d, again); diff != "" || err != nil {
				t.Errorf("the second time, from what the cache knows (-first +second):\n%s%v", diff, err)
			}
			if tc.name == "postgis" {
				checkOddities(t, d)
			}
		})
	}
}

// checkOwners holds a bill against the image: every file and link is there
// with its digests, and is its package's exactly when it has the bytes that
// the package has.
func checkOwners(t *testing.T, d sbom.Document, in builder.Built) {
	t.Helper()
	files, links := map[string]sbom.File{}, map[string]sbom.Link{}
	for _, f := range d.Files {
		files[f.Path] = f
	}
	for _, l := range d.Links {
		links[l.Path] = l
	}
	own := 0
	for _, layer := range []filetree.Tree{in.Arranged.Extension, in.Arranged.Libraries} {
		for e := range layer.All() {
			switch e.Kind {
			case filetree.File:
				f := files[e.Path]
				delete(files, e.Path)
				data, err := e.ReadAll(1 << 30)
				if err != nil {
					t.Fatal(err)
				}
				sum := sha1.Sum(data)
				if f.SHA256 != e.SHA256 || f.SHA1 != hex.EncodeToString(sum[:]) {
					t.Errorf("%s: digests %s and %s", e.Path, f.SHA256, f.SHA1)
				}
				if f.Package == "" {
					own++
				}
				if generated := e.Origin.Package == ""; generated && f.Package != "" || !generated && f.Package+f.From != e.Origin.Package {
					t.Errorf("%s of %q: package %q, from %q", e.Path, e.Origin.Package, f.Package, f.From)
				}
			case filetree.Symlink:
				if links[e.Path].Target != e.Link {
					t.Errorf("%s leads to %q, want %q", e.Path, links[e.Path].Target, e.Link)
				}
				delete(links, e.Path)
			}
		}
	}
	if len(files)+len(links) > 0 {
		t.Errorf("not in the image: %v %v", files, links)
	}
	// At least the database of packages and os-release.
	if own < 2*len(d.Packages)+1 {
		t.Errorf("%d files are the image's own", own)
	}
}

// checkOddities looks at what is special about PostGIS and these libraries.
func checkOddities(t *testing.T, d sbom.Document) {
	t.Helper()
	packages := map[string]sbom.Package{}
	for _, p := range d.Packages {
		packages[p.Name] = p
	}
	mpfr := packages["libmpfr6"]
	if want := "LicenseRef-mpfr4-copyright"; mpfr.License.Expression != want || !strings.Contains(mpfr.License.References[0].Text, "GNU MPFR") {
		t.Errorf("libmpfr6: licence %+v, want %s with the text of the file", mpfr.License, want)
	}
	if !strings.Contains(mpfr.Copyright, "Free Software Foundation") {
		t.Errorf("libmpfr6: notices %q", mpfr.Copyright)
	}
	cpp := packages["libstdc++6"]
	for name, p := range packages {
		if strings.HasPrefix(p.Source, "gcc-") && p.License.Expression != cpp.License.Expression {
			t.Errorf("%s: licence %s, want that of its source, %s", name, p.License.Expression, cpp.License.Expression)
		}
	}
	if want := "pkg:deb/debian/libstdc%2B%2B6@"; !strings.HasPrefix(cpp.PURL(), want) || !strings.Contains(cpp.PURL(), "?arch=amd64&distro=debian-14&upstream=gcc-") {
		t.Errorf("purl = %s, want %s…", cpp.PURL(), want)
	}
	if want := "https://ftp.debian.org/debian/pool/libstdc%2B%2B6.deb"; cpp.DownloadLocation != want {
		t.Errorf("download location %s, want %s", cpp.DownloadLocation, want)
	}
	rewritten := 0
	for _, f := range d.Files {
		if strings.HasSuffix(f.Path, ".sql") && f.From == "postgresql-18-postgis-3-scripts" {
			if !strings.HasPrefix(f.Note, "rewritten from usr/share/postgresql/18/") {
				t.Errorf("%s: %s", f.Path, f.Note)
			}
			rewritten++
		}
	}
	if rewritten == 0 {
		t.Error("no script was rewritten")
	}
}

// TestBillOfFiles has what comes without a copyright file and from no archive.
func TestBillOfFiles(t *testing.T) {
	b, in := built(t, []string{"postgresql-18-pgvector"}, nil)
	in.Arranged.Licenses = nil
	for i := range in.Pins.Packages {
		in.Pins.Packages[i].Archive, in.Pins.Packages[i].Path = "", ""
	}
	in.Target.Source.Deb = &recipe.Deb{Files: []recipe.DebFile{
		{URL: "https://user:secret@vendor.example/a.deb?token=secret", SHA256: in.Pins.Packages[0].SHA256},
	}}
	d, err := b.Bill(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	p := d.Packages[0]
	if p.DownloadLocation != "https://vendor.example/a.deb" {
		t.Errorf("download location %s", p.DownloadLocation)
	}
	if p.License.Expression != "LicenseRef-postgresql-18-pgvector-unstated" {
		t.Errorf("licence %s", p.License.Expression)
	}
	in.Recipe.Licenses = "PostgreSQL"
	in.Target.Source.Deb.Files[0] = recipe.DebFile{Path: filepath.Join("a", "b.deb"), SHA256: p.SHA256}
	if d, err = b.Bill(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if p := d.Packages[0]; p.License.Expression != "PostgreSQL" || p.DownloadLocation != "" {
		t.Errorf("licence %s from %q", p.License.Expression, p.DownloadLocation)
	}
	if _, err := d.SPDX(); err != nil {
		t.Error(err)
	}
}

func BenchmarkBill(b *testing.B) {
	maker, in := built(b, []string{"postgresql-18-postgis-3", "postgresql-18-postgis-3-scripts"}, []string{"libmpfr6", "libstdc++6", "libgdal39", "libpoppler162"})
	var d sbom.Document
	for name, step := range map[string]func() error{
		"list":      func() (err error) { d, err = maker.Bill(b.Context(), in); return err },
		"SPDX":      func() error { _, err := d.SPDX(); return err },
		"CycloneDX": func() error { _, err := d.CycloneDX(); return err },
	} {
		var err error
		if d, err = maker.Bill(b.Context(), in); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := step(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(d.Files)), "files")
		})
	}
}
