package imagemeta

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

func TestRequiredFindings(t *testing.T) {
	extensions := []metadata.Extension{
		{Name: "documentdb", Requires: []string{"vector", "plpgsql"}},
		{Name: "documentdb_distributed", Requires: []string{"citus", "documentdb"}},
	}
	requires := []metadata.Requirement{{Extension: "citus"}, {Extension: "vector", Package: "postgresql-18-pgvector", Image: "pgvector"}}
	for _, tc := range []struct {
		name string
		in   Input
		want []string
	}{
		{
			"one that no package has",
			Input{Requires: requires},
			[]string{"PGX033 warning: share/extension/documentdb_distributed.control: documentdb_distributed requires citus, which was not found in a package of the archives"},
		},
		{"all are known", Input{Requires: requires[1:]}, nil},
		{"the recipe lists them", Input{Requires: requires, Target: recipe.Target{Requires: []string{"citus"}}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.in.Layout = layout.Result{Contents: layout.Contents{Extensions: extensions}}
			var got []string
			for _, f := range requiredFindings(tc.in) {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("findings (-got +want):\n%s", diff)
			}
		})
	}
}
