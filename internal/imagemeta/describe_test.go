package imagemeta

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/license"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

func smallest() Input {
	return Input{
		Recipe: &recipe.Recipe{Name: "pgvector", Image: "pgvector"},
		Target: recipe.Target{Distro: "forky", Postgres: 18}, Arch: "arm64",
		Main: layout.Package{Name: "postgresql-18-pgvector", Version: "1:0.8.1+dfsg-2+b1", Control: debian.NewParagraph(
			debian.Field{Name: "Description", Value: "vector similarity search\nlong\ntext"},
			debian.Field{Name: "Homepage", Value: "https://package.example"},
		)},
		Base: metadata.Base{Name: "cnpg-minimal", Postgres: "18.6"},
		Layout: layout.Result{
			Contents:             layout.Contents{Extensions: []metadata.Extension{{Name: "vector", Version: "0.8.1"}}, Modules: []string{"vector"}},
			ExtensionControlPath: []string{"share"}, DynamicLibraryPath: []string{"lib"}, BinPath: []string{"bin"},
			Licenses: []layout.PackageLicense{
				{Package: "postgresql-18-pgvector", Role: lock.Extension, License: license.License{Expression: "PostgreSQL"}},
				{Package: "liba1", Role: lock.Library, License: license.License{Expression: "MIT"}},
			},
		},
	}
}

// TestDescribeFromPackages checks the defaults for a minimal recipe.
func TestDescribeFromPackages(t *testing.T) {
	d := Describe(smallest())
	want := metadata.Metadata{
		Schema: 1, Name: "pgvector", Image: "pgvector", Version: "0.8.1", Distro: "forky", Postgres: 18, Arch: "arm64",
		Base:       metadata.Base{Name: "cnpg-minimal", Postgres: "18.6"},
		Extensions: []metadata.Extension{{Name: "vector", Version: "0.8.1"}},
		Create:     []string{"vector"}, Modules: []string{"vector"},
		ExtensionControlPath: []string{"share"}, DynamicLibraryPath: []string{"lib"}, BinPath: []string{"bin"},
	}
	if diff := cmp.Diff(d.Metadata, want, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("metadata (-got +want):\n%s", diff)
	}
	got := d.Annotations(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	for name, want := range map[string]string{
		"org.opencontainers.image.created":     "2026-01-02T03:04:05Z",
		"org.opencontainers.image.description": "vector similarity search",
		"org.opencontainers.image.licenses":    "PostgreSQL AND MIT",
		"org.opencontainers.image.url":         "https://package.example",
		"org.opencontainers.image.version":     "0.8.1",
		"io.cloudnativepg.image.sql.version":   "0.8.1",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
}

// TestDescribeFromRecipe checks that values of the recipe override those of the
// packages, and annotations of the command line those of the recipe.
func TestDescribeFromRecipe(t *testing.T) {
	in := smallest()
	in.Recipe = &recipe.Recipe{
		Name: "a", Image: "b", Version: "9", Summary: "summary", Homepage: "https://recipe.example", Licenses: "Apache-2.0",
		BinPath: []string{"tools"}, Parameters: map[string]string{"a.b": "c"}, SharedPreloadLibraries: []string{"vector"},
		Annotations: map[string]string{"x": "recipe", "y": "recipe"},
	}
	in.Annotations = map[string]string{"x": "command line"}
	d := Describe(in)
	m := d.Metadata
	if m.Name != "a" || m.Image != "b" || m.Version != "9" || m.BinPath[0] != "tools" || m.Parameters["a.b"] != "c" || m.SharedPreloadLibraries[0] != "vector" {
		t.Errorf("metadata %+v: want the values of the recipe", m)
	}
	got := d.Annotations(time.Unix(0, 0))
	for name, want := range map[string]string{
		"org.opencontainers.image.description": "summary",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.url":         "https://recipe.example",
		"x":                                    "command line",
		"y":                                    "recipe",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
}

func TestLicenses(t *testing.T) {
	in := smallest()
	if all, own := licenses(in); all != "PostgreSQL AND MIT" || own != "PostgreSQL" {
		t.Errorf("got %q and %q, want PostgreSQL AND MIT, and PostgreSQL", all, own)
	}
	in.Layout.Licenses[1].License = license.License{}
	if all, own := licenses(in); all != "" || own != "PostgreSQL" {
		t.Errorf("with a package of unknown licence: got %q and %q, want \"\" and PostgreSQL", all, own)
	}
}

func TestEnvironment(t *testing.T) {
	in := smallest()
	in.Recipe.Env = []recipe.Env{{Name: "PROJ_DATA", Value: "/mine"}}
	in.Target.Bundle.Data = []recipe.Data{{Package: "d", To: "share/${arch}", Env: "D"}, {Package: "e", To: "share/e"}}
	in.Data = []lock.DataFolder{{Package: "proj-data", Env: "PROJ_DATA", Home: "share/proj"}, {Package: "gdal-data", Env: "GDAL_DATA", Home: "share/gdal"}}
	want := []metadata.EnvVar{
		{Name: "PROJ_DATA", Value: "/mine"},
		{Name: "D", Value: "${image_root}/share/arm64"},
		{Name: "GDAL_DATA", Value: "${image_root}/share/gdal"},
	}
	if diff := cmp.Diff(environment(in), want); diff != "" {
		t.Errorf("variables (-got +want):\n%s", diff)
	}
}

func TestSQLVersion(t *testing.T) {
	extensions := []metadata.Extension{{Name: "a", Version: "1"}, {Name: "b", Version: "2"}}
	for _, tc := range []struct {
		create []string
		want   string
	}{{nil, ""}, {[]string{"a", "b"}, "2"}, {[]string{"b", "a"}, "1"}, {[]string{"absent"}, ""}} {
		if got := sqlVersion(metadata.Metadata{Create: tc.create, Extensions: extensions}); got != tc.want {
			t.Errorf("create %q: got %q, want %q", tc.create, got, tc.want)
		}
	}
}
