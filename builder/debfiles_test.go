package builder_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/elf/elftest"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

// vendorDeb is a vendor's package for arch, which no archive has.
func vendorDeb(arch, depends string) []byte {
	return debtest.Build(debtest.Deb{
		Control: fmt.Sprintf("Package: vendor-thing\nVersion: 2:3.1-vendor1\nArchitecture: %s\nSource: things\n"+
			"Depends: postgresql-18, %s\nMaintainer: A <a@example.org>\nDescription: a thing of a vendor\n", arch, depends),
		Files: []debtest.File{
			{Path: "usr/share/doc/vendor-thing/copyright", Content: copyright},
			{Path: "usr/lib/postgresql/18/lib/thing.so", Content: string(elftest.Build(elftest.Spec{Arch: arch, Needed: []string{"libc.so.6", "libx.so.1"}}))},
			{Path: "usr/share/postgresql/18/extension/thing.control", Content: "default_version = '3.1'\n"},
			{Path: "usr/share/postgresql/18/extension/thing--3.1.sql", Content: "SELECT 1;\n"},
		},
	})
}

// fileRecipe writes a recipe whose source is files alone.
func (f *fixture) fileRecipe(files ...string) *recipe.Recipe {
	f.t.Helper()
	text := fmt.Sprintf("name: thing\nsource:\n  deb:\n    files:\n    - %s\ntargets:\n  - {distro: forky, archs: [amd64, arm64]}\narchives:\n  - {name: test, url: %q, suite: forky, signed_by: key.asc}\n",
		strings.Join(files, "\n    - "), f.archive.URL)
	f.write("recipe.yaml", text)
	r, err := recipe.Parse(filepath.Join(f.dir, "recipe.yaml"), []byte(text))
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// TestFiles: a vendor's packages, from a path and from a URL, are installed as
// apt would install files; what they depend on comes from the archives.
func TestFiles(t *testing.T) {
	f := newFixture(t, library("libx1", "libx.so.1", "libc.so.6"), library("libidle1", "libidle.so.1"))
	amd64, arm64 := vendorDeb("amd64", "libx1, libidle1"), vendorDeb("arm64", "libx1")
	f.write("thing.deb", string(amd64))
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(arm64) }))
	defer served.Close()
	r := f.fileRecipe(
		fmt.Sprintf("{path: thing.deb, arch: amd64, sha256: %x}", sha256.Sum256(amd64)),
		fmt.Sprintf("{url: %q, arch: arm64, sha256: %x}", served.URL+"/pool/thing_${arch}.deb", sha256.Sum256(arm64)))

	p := f.plan(f.builder(), r, builder.Keep)
	if diff := cmp.Diff(bothArchs("libx1 1-1 library, vendor-thing 2:3.1-vendor1 extension"), pinned(p)); diff != "" {
		t.Errorf("pins (-want +got):\n%s", diff)
	}
	for _, l := range p.Targets[0].Architectures[0].Pins.Packages {
		if l.Package == "vendor-thing" && (l.Archive != "" || l.Path != "" || l.Source != "things" || l.Size != int64(len(amd64))) {
			t.Errorf("the pin of the file is %+v", l)
		}
	}

	t.Run("from the lock, with an empty cache", func(t *testing.T) {
		f.cache = newCache(t)
		b := f.builder()
		p, err := b.Plan(t.Context(), r, recipe.Selection{}, builder.Locked)
		if err != nil {
			t.Fatal(err)
		}
		built, err := b.Build(t.Context(), p, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := built[0].Tags[0], "3.1-18-forky"; got != want {
			t.Errorf("tag %s, want %s", got, want)
		}
	})
	t.Run("from the lock, when the file is gone", func(t *testing.T) {
		f.cache = newCache(t)
		deb := filepath.Join(f.dir, "thing.deb")
		if err := os.Rename(deb, deb+".away"); err != nil {
			t.Fatal(err)
		}
		defer os.Rename(deb+".away", deb)
		b := f.builder()
		p, err := b.Plan(t.Context(), r, recipe.Selection{Archs: []string{"amd64"}}, builder.Locked)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Build(t.Context(), p, t.TempDir())
		var gone *builder.GoneError
		if exitCodeOf(err) != 12 || errors.As(err, &gone) {
			t.Errorf("Build() = %v, want exit code 12 and no advice to lock again", err)
		}
	})
	t.Run("a local file is no request", func(t *testing.T) {
		f.cache = newCache(t)
		if err := os.Remove(filepath.Join(f.dir, "pgext.lock")); err != nil {
			t.Fatal(err)
		}
		_, err := f.builder(func(o *session.Options) {
			o.Fetcher = fetch.New(o.Cache, fetch.Options{Offline: true})
		}).Plan(t.Context(), r, recipe.Selection{Archs: []string{"amd64"}}, builder.Keep)
		if exitCodeOf(err) != 12 || strings.Contains(err.Error(), "thing.deb") {
			t.Errorf("Plan() = %v", err)
		}
	})
}

func TestFilesFail(t *testing.T) {
	deb := vendorDeb("amd64", "libgone1")
	for _, tc := range []struct {
		name, file, arch string
		code             int
		want             string
	}{
		{"wrong digest", fmt.Sprintf("{path: thing.deb, sha256: %x}", sha256.Sum256(nil)), "amd64", 13, "thing.deb: "},
		{"not there", fmt.Sprintf("{path: gone.deb, sha256: %x}", sha256.Sum256(deb)), "amd64", 12, "gone.deb"},
		{"not there, with a token", fmt.Sprintf("{url: 'URL/gone.deb?token=secret', sha256: %x}", sha256.Sum256(deb)), "amd64", 12, "gone.deb"},
		{"no package", fmt.Sprintf("{path: key.asc, sha256: %s}", "KEY"), "amd64", 1, "reading source.deb.files: reading package key.asc: "},
		{"for another architecture", fmt.Sprintf("{path: thing.deb, sha256: %x}", sha256.Sum256(deb)), "arm64", 10, "source.deb.files: thing.deb: is a package for amd64, not for arm64"},
		{"none for an architecture", fmt.Sprintf("{path: thing.deb, distro: sid, sha256: %x}", sha256.Sum256(deb)), "amd64", 10, "none of them is for forky/18/amd64"},
		{"unsatisfiable", fmt.Sprintf("{path: thing.deb, arch: amd64, sha256: %x}", sha256.Sum256(deb)), "amd64", 12, "package vendor-thing cannot be installed: vendor-thing depends on libgone1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t)
			f.write("thing.deb", string(deb))
			file := strings.NewReplacer("KEY", fmt.Sprintf("%x", sha256.Sum256([]byte(f.read("key.asc")))), "URL", f.archive.URL).Replace(tc.file)
			_, err := f.builder().Plan(t.Context(), f.fileRecipe(file), recipe.Selection{Archs: []string{tc.arch}}, builder.Keep)
			if err == nil || exitCodeOf(err) != tc.code || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Plan() = %v with exit code %d, want %q with %d", err, exitCodeOf(err), tc.want, tc.code)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("Plan() = %v, which tells a token", err)
			}
		})
	}
}
