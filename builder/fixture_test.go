package builder_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/archive/archivetest"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/cache/cachetest"
	"github.com/pgext/pgext/internal/elf/elftest"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

// tuples are the multiarch folders of the architectures that fixtures are for.
var tuples = map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}

// deb describes a package of the fixture archive.
type deb struct {
	name, version, fields string
	// all makes one package for every architecture.
	all bool
	// files returns what is in it for an architecture; a copyright file is
	// added.
	files func(arch string) []debtest.File
}

// build returns the packages, one an architecture.
func (d deb) build() []archivetest.Package {
	var out []archivetest.Package
	for _, arch := range []string{"amd64", "arm64"} {
		name := arch
		if d.all {
			name = "all"
		}
		files := []debtest.File{{Path: "usr/share/doc/" + d.name + "/copyright", Content: copyright}}
		if d.files != nil {
			files = append(files, d.files(arch)...)
		}
		out = append(out, archivetest.FromDeb(debtest.Build(debtest.Deb{
			Control: fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: A <a@example.org>\n%sDescription: %s in short\n",
				d.name, d.version, name, d.fields, d.name),
			Files: files,
		})))
		if d.all {
			break
		}
	}
	return out
}

const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: somebody
License: PostgreSQL
`

// library is a package that has one shared library.
func library(name, soname string, needed ...string) deb {
	return deb{name: name, version: "1-1", fields: "Section: libs\n", files: func(arch string) []debtest.File {
		return []debtest.File{{Path: "usr/lib/" + tuples[arch] + "/" + soname, Content: string(elftest.Build(elftest.Spec{
			Arch: arch, SONAME: soname, Needed: needed, Defines: []string{"GLIBC_2.34"},
		}))}}
	}}
}

// extension is a package with one module, which needs libc.so.6 and libraries,
// and its control file with further lines.
func extension(name, version, fields, control string, needed ...string) deb {
	ext := strings.TrimPrefix(name, "postgresql-18-")
	return deb{name: name, version: version, fields: fields, files: func(arch string) []debtest.File {
		return []debtest.File{
			{Path: "usr/lib/postgresql/18/lib/" + ext + ".so", Content: string(elftest.Build(elftest.Spec{
				Arch: arch, Needed: append([]string{"libc.so.6"}, needed...), Versions: map[string][]string{"libc.so.6": {"GLIBC_2.34"}},
			}))},
			{Path: "usr/share/postgresql/18/extension/" + ext + ".control", Content: "default_version = '1.0'\n" + control},
			{Path: "usr/share/postgresql/18/extension/" + ext + "--1.0.sql", Content: "SELECT '$libdir/" + ext + "';\n"},
			{Path: "usr/share/man/man1/" + ext + ".1.gz", Content: "a page"},
		}
	}}
}

// operand are the packages of which cnpg-minimal consists here.
func operand() []deb {
	plain := func(name, fields string) deb { return deb{name: name, version: "1-1", fields: fields} }
	return []deb{
		library("libc6", "libc.so.6"),
		plain("dash", "Priority: required\nEssential: yes\nPre-Depends: libc6\n"),
		plain("apt", ""), plain("postgresql-common", ""), plain("ca-certificates", ""), plain("gnupg", ""),
		plain("libsasl2-modules", ""), plain("libldap-common", ""),
		{name: "postgresql-18", version: "18.6-1", fields: "Source: postgresql-18\nDepends: libc6\n", files: func(string) []debtest.File {
			return []debtest.File{{Path: "usr/share/postgresql/18/extension/cube.control", Content: "default_version = '1.5'\n"}}
		}},
	}
}

// fixture is a signed archive with a recipe that reads it, and a cache.
type fixture struct {
	t       *testing.T
	archive *archivetest.Archive
	dir     string
	cache   *cache.Cache
}

// newFixture serves the operand and extensions. Its recipe is for the package
// postgresql-18-thing.
func newFixture(t *testing.T, extensions ...deb) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: t.TempDir(), cache: newCache(t)}
	f.archive = archivetest.New(t, suite(extensions...))
	f.write("key.asc", string(f.archive.Key()))
	f.recipe("")
	return f
}

func suite(extensions ...deb) archivetest.Suite {
	var packages []archivetest.Package
	for _, d := range append(operand(), extensions...) {
		packages = append(packages, d.build()...)
	}
	return archivetest.Suite{Name: "forky", Packages: packages}
}

func newCache(t *testing.T) *cache.Cache {
	t.Helper()
	c := cachetest.Open(t)
	return c
}

func (f *fixture) write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) read(name string) string {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}

// recipe writes and parses the recipe, with more lines at its end.
func (f *fixture) recipe(more string) *recipe.Recipe {
	f.t.Helper()
	text := fmt.Sprintf(`name: thing
source:
  deb:
    packages: ["postgresql-${pg}-thing"]
targets:
  - {distro: forky, postgres: [18], archs: [amd64, arm64]}
archives:
  - {name: test, url: %q, suite: forky, signed_by: key.asc}
%s`, f.archive.URL, more)
	f.write("recipe.yaml", text)
	r, err := recipe.Parse(filepath.Join(f.dir, "recipe.yaml"), []byte(text))
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// builder returns a Builder with a new session.
func (f *fixture) builder(change ...func(*session.Options)) *builder.Builder {
	return builder.New(f.session(change...))
}

// session returns a new session over the fixture's cache; change edits its
// options.
func (f *fixture) session(change ...func(*session.Options)) *session.Session {
	o := session.Options{Cache: f.cache, Program: "test"}
	for _, c := range change {
		c(&o)
	}
	if o.Fetcher == nil {
		o.Fetcher = fetch.New(o.Cache, fetch.Options{})
	}
	return session.New(o)
}

// plan plans the recipe and writes its lock.
func (f *fixture) plan(b *builder.Builder, r *recipe.Recipe, mode builder.Mode) *builder.Plan {
	f.t.Helper()
	p, err := b.Plan(f.t.Context(), r, recipe.Selection{}, mode)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := p.WriteLock(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return p
}

// build carries the plan to the one image that it has.
func (f *fixture) build(b *builder.Builder, p *builder.Plan, dist string) builder.Image {
	f.t.Helper()
	images, err := b.Build(f.t.Context(), p, dist)
	if err != nil {
		f.t.Fatal(err)
	}
	if len(images) != 1 {
		f.t.Fatalf("%d images, want 1", len(images))
	}
	return images[0]
}

func thing(version string) deb {
	return extension("postgresql-18-thing", version, "Source: thing\nDepends: postgresql-18, libc6\n", "")
}
