package imagemeta

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

func TestCreate(t *testing.T) {
	extension := func(name string, requires ...string) metadata.Extension {
		return metadata.Extension{Name: name, Requires: requires}
	}
	for _, tc := range []struct {
		name       string
		recipe     recipe.Recipe
		extensions []metadata.Extension
		want       []string
	}{
		{"none", recipe.Recipe{Name: "wal2json", Image: "wal2json"}, nil, nil},
		{"the only one", recipe.Recipe{Name: "pgvector", Image: "pgvector"}, []metadata.Extension{extension("vector")}, []string{"vector"}},
		{
			"named like the recipe, after what it requires",
			recipe.Recipe{Name: "b", Image: "x"},
			[]metadata.Extension{extension("a", "cube"), extension("b", "a", "c"), extension("c")},
			[]string{"a", "c", "b"},
		},
		{
			"named like the image",
			recipe.Recipe{Name: "x", Image: "b"},
			[]metadata.Extension{extension("a"), extension("b")},
			[]string{"b"},
		},
		{"two extensions with other names", recipe.Recipe{Name: "x", Image: "x"}, []metadata.Extension{extension("a"), extension("b")}, nil},
		{
			"a cycle ends",
			recipe.Recipe{Name: "a", Image: "a"},
			[]metadata.Extension{extension("a", "b"), extension("b", "a")},
			[]string{"b", "a"},
		},
		{"the recipe's own", recipe.Recipe{Name: "a", Image: "a", Create: []string{"z"}}, []metadata.Extension{extension("a")}, []string{"z"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, create(&tc.recipe, tc.extensions)); diff != "" {
				t.Errorf("create() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindings(t *testing.T) {
	in := Input{
		Recipe: &recipe.Recipe{
			Name: "x", Image: "x", Create: []string{"scripted", "unscripted", "absent"},
			Parameters: map[string]string{"shared_preload_libraries": "x", "port": "1", "x.level": "2"},
		},
		Target: recipe.Target{Distro: "bookworm", Postgres: 17},
		Layout: layout.Result{Contents: layout.Contents{Extensions: []metadata.Extension{{Name: "scripted"}}, Unscripted: []string{"unscripted"}}},
	}
	var codes []string
	for _, f := range Describe(in).Findings {
		codes = append(codes, f.Code)
	}
	if diff := cmp.Diff([]string{"PGX007", "PGX007", "PGX006", "PGX006", "PGX030"}, codes); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestEmptyFindings checks the finding for an image without control files and
// modules.
func TestEmptyFindings(t *testing.T) {
	for _, tc := range []struct {
		name   string
		layout layout.Result
		want   int
	}{
		{"programs alone", layout.Result{BinPath: []string{"bin"}}, 1},
		{"a module", layout.Result{Contents: layout.Contents{Modules: []string{"x"}}}, 0},
		{"an extension without module", layout.Result{Contents: layout.Contents{Extensions: []metadata.Extension{{Name: "x"}}}}, 0},
		{"a control file alone", layout.Result{Contents: layout.Contents{Unscripted: []string{"x"}}}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := emptyFindings(tc.layout); len(got) != tc.want {
				t.Errorf("emptyFindings() = %v, want %d", got, tc.want)
			}
		})
	}
}

// TestUnusedPackageFindings checks the finding for a package of the recipe without
// a file in the image.
func TestUnusedPackageFindings(t *testing.T) {
	in := Input{
		Recipe: &recipe.Recipe{Name: "x", Image: "x"},
		Target: recipe.Target{Distro: "forky", Postgres: 18, Source: recipe.Source{Deb: &recipe.Deb{Packages: []string{"postgresql-${pg}-x", "libpq5"}}}},
		Arch:   "amd64",
		Layout: layout.Result{Given: []string{"postgresql-18-x"}, Contents: layout.Contents{Modules: []string{"x"}}},
	}
	var got []string
	for _, f := range Describe(in).Findings {
		got = append(got, f.String())
	}
	if diff := cmp.Diff([]string{"PGX035 note: no file of the image comes from package libpq5"}, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
