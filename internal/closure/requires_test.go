package closure

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/lock"
)

func TestOtherOf(t *testing.T) {
	got := OtherOf(18, "postgresql-18-postgis-3", tree(
		t,
		file("usr/lib/postgresql/17/lib/old.so", ""),
		file("usr/lib/postgresql/18/lib/bitcode/postgis-3.so", ""),
		file("usr/lib/postgresql/18/lib/postgis-3.so", ""),
		file("usr/share/postgresql/18/extension/postgis--3.6.control", ""),
		file("usr/share/postgresql/18/extension/postgis--3.6.sql", ""),
		file("usr/share/postgresql/18/extension/postgis.control", ""),
		file("usr/share/postgresql/18/extension/postgis_topology.control", ""),
	))
	want := Other{Package: "postgresql-18-postgis-3", Extensions: []string{"postgis", "postgis_topology"}, Modules: []string{"postgis-3"}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("OtherOf() (-got +want):\n%s", diff)
	}
}

func TestRequires(t *testing.T) {
	postgis := Other{
		Package: "postgresql-18-postgis-3", Modules: []string{"postgis-3"},
		Extensions: []string{"address_standardizer", "postgis", "postgis_topology"},
	}
	for _, tc := range []struct {
		name   string
		unmet  []string
		others []Other
		want   []lock.Require
	}{
		{"nothing", nil, nil, nil},
		{
			"a control file's requirement, with where it is found",
			[]string{"postgis"},
			[]Other{postgis},
			[]lock.Require{{Extension: "postgis", Package: "postgresql-18-postgis-3", Image: "postgis-3"}},
		},
		{"one that no dependency has", []string{"plpython3u"}, nil, []lock.Require{{Extension: "plpython3u"}}},
		{
			"a dependency that no control file mentions: its main extension",
			nil,
			[]Other{postgis},
			[]lock.Require{{Extension: "postgis", Package: "postgresql-18-postgis-3", Image: "postgis-3"}},
		},
		{
			"one without an extension: its module",
			nil,
			[]Other{{Package: "postgresql-18-wal2json", Modules: []string{"wal2json"}}},
			[]lock.Require{{Module: "wal2json", Package: "postgresql-18-wal2json", Image: "wal2json"}},
		},
		{"one with neither", nil, []Other{{Package: "postgresql-18-x-doc"}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(Requires(18, tc.unmet, tc.others), tc.want); diff != "" {
				t.Errorf("Requires() (-got +want):\n%s", diff)
			}
		})
	}
}

func TestNamed(t *testing.T) {
	others := []Other{{Package: "postgresql-18-x", Extensions: []string{"x"}, Modules: []string{"x-1"}}}
	got := Named(18, []string{"x", "module:x-1", "module:x", "y"}, others)
	want := []lock.Require{
		{Extension: "x", Package: "postgresql-18-x", Image: "x"},
		{Module: "x-1", Package: "postgresql-18-x", Image: "x"},
		{Module: "x"},
		{Extension: "y"},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("Named() (-got +want):\n%s", diff)
	}
}

func TestMainOf(t *testing.T) {
	for _, tc := range []struct {
		names       []string
		image, want string
	}{
		{[]string{"vector"}, "pgvector", "vector"},
		{[]string{"pg_cron", "pg_cron_extra"}, "cron", "pg_cron"},
		{[]string{"address_standardizer", "postgis", "postgis_sfcgal"}, "postgis-3", "postgis"},
		{[]string{"pgq", "pgq_coop"}, "pgq-3", "pgq"},
		{[]string{"a", "set_user"}, "set-user", "set_user"},
		{[]string{"pgq", "pgq_coop"}, "pgq-coop-2", "pgq_coop"},
		{[]string{"longer", "short"}, "unlike", "short"},
	} {
		if got := mainOf(tc.names, tc.image); got != tc.want {
			t.Errorf("mainOf(%q, %q) = %q, want %q", tc.names, tc.image, got, tc.want)
		}
	}
}
