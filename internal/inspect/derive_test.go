package inspect

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/layout"
)

func TestDerive(t *testing.T) {
	i := Image{
		Arch: "amd64", Postgres: 18, Distro: "trixie", Labels: map[string]string{"org.opencontainers.image.version": "3.6"},
		Contents: layout.Contents{
			Extensions: []metadata.Extension{
				{Name: "postgis", Version: "3.6"},
				{Name: "postgis_topology", Version: "3.6", Requires: []string{"postgis", "plpgsql", "cube", "vector"}},
				{Name: "other", Version: "1", Requires: []string{"vector"}},
			},
			Modules: []string{"postgis-3"},
		},
		LibraryPath: []string{"lib", "system"},
	}
	got := i.Derive("gis", []string{"cube"})
	want := metadata.Metadata{
		Schema: 1, Name: "gis", Image: "gis", Version: "3.6", Distro: "trixie", Postgres: 18, Arch: "amd64",
		Extensions: i.Extensions, Modules: i.Modules, Requires: []metadata.Requirement{{Extension: "vector"}},
		ExtensionControlPath: []string{"share"}, DynamicLibraryPath: []string{"lib"}, LDLibraryPath: []string{"system"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	i.Extensions = i.Extensions[:1]
	got = i.Derive("gis", []string{"cube"})
	if !cmp.Equal(got.Create, []string{"postgis"}) {
		t.Errorf("Create = %v: its only extension is created", got.Create)
	}
}
