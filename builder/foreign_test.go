package builder

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/survey"
)

func TestDerive(t *testing.T) {
	i := survey.Image{
		Arch: "amd64", Postgres: 18, Labels: map[string]string{"org.opencontainers.image.version": "3.6"},
		Extensions: []metadata.Extension{
			{Name: "postgis", Version: "3.6"},
			{Name: "postgis_topology", Version: "3.6", Requires: []string{"postgis", "plpgsql", "cube", "vector"}},
			{Name: "other", Version: "1", Requires: []string{"vector"}},
		},
		Modules: []string{"postgis-3"}, LibraryPath: []string{"lib", "system"},
	}
	got := derive(i, "gis", recipe.Selection{Distros: []string{"trixie"}})
	want := metadata.Metadata{
		Schema: 1, Name: "gis", Image: "gis", Version: "3.6", Distro: "trixie", Postgres: 18, Arch: "amd64",
		Extensions: i.Extensions, Modules: i.Modules, Requires: []metadata.Requirement{{Extension: "vector"}},
		ExtensionControlPath: []string{"share"}, DynamicLibraryPath: []string{"lib"}, LDLibraryPath: []string{"system"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	i.Distro, i.Extensions = "forky", i.Extensions[:1]
	got = derive(i, "gis", recipe.Selection{Distros: []string{"trixie"}})
	if got.Distro != "forky" || !cmp.Equal(got.Create, []string{"postgis"}) {
		t.Errorf("Distro = %s, Create = %v: the image's own word counts, and its only extension is created", got.Distro, got.Create)
	}
}

func TestRepository(t *testing.T) {
	for name, want := range map[string]string{
		"ghcr.io/cloudnative-pg/pgvector:0.8.1-18-trixie": "pgvector",
		"localhost:5000/pg_cron":                          "pg-cron",
		"h.example/x/PostGIS@sha256:0123":                 "postgis",
		"h.example/x/postgis:3@sha256:0123":               "postgis",
		"oci:dist/pgvector/oci:0.8":                       "pgvector",
		"dist/pgvector/":                                  "pgvector",
		"oci:vendor":                                      "vendor",
		"oci:...:1":                                       "image",
	} {
		if got := repository(name); got != want {
			t.Errorf("repository(%s) = %s, want %s", name, got, want)
		}
	}
}
