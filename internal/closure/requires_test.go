package closure

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/lock"
)

func TestOtherOf(t *testing.T) {
	const dir = "usr/share/postgresql/18/extension/"
	modules := &debinfo.Info{Tree: tree(
		t,
		file("usr/lib/postgresql/17/lib/old.so", ""),
		file("usr/lib/postgresql/18/lib/bitcode/postgis-3.so", ""),
		file("usr/lib/postgresql/18/lib/postgis-3.so", ""),
	)}
	scripts := &debinfo.Info{
		Tree: tree(
			t,
			file(dir+"postgis--3.6.control", ""),
			file(dir+"postgis--3.6.sql", ""),
			file(dir+"postgis-3.control", ""),
			file(dir+"postgis_topology.control", ""),
		),
		Scripts: map[string]string{"postinst": "D=/" + dir + "\nupdate-alternatives --install ${D}postgis.control p ${D}postgis-3.control 30\n" +
			"update-alternatives --install ${D}gone.control g ${D}gone-3.control 30\n"},
	}
	got := OtherOf(18, "postgresql-18-postgis-3", modules, scripts)
	want := Other{Package: "postgresql-18-postgis-3", Extensions: []string{"postgis", "postgis_topology"}, Modules: []string{"postgis-3"}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("OtherOf() (-got +want):\n%s", diff)
	}
}

func TestSuppliers(t *testing.T) {
	ix := load(t, "Package: postgresql-18-postgis-3\nVersion: 1\nArchitecture: amd64\nProvides: postgresql-18-postgis\n\n"+
		"Package: postgresql-18-cron\nVersion: 1\nArchitecture: amd64\n\n"+
		"Package: postgresql-17-rum\nVersion: 1\nArchitecture: amd64\n\n"+
		"Package: postgresql-18-pg-hint-plan\nVersion: 1\nArchitecture: amd64\n\n"+
		"Package: postgresql-18-pgvector\nVersion: 1\nArchitecture: amd64\n")
	for _, tc := range []struct {
		extension string
		want      []string
	}{
		{"postgis", []string{"postgresql-18-postgis-3"}},
		{"pg_cron", []string{"postgresql-18-cron"}},
		{"vector", []string{"postgresql-18-pgvector"}},
		{"pg_hint_plan", []string{"postgresql-18-pg-hint-plan"}},
		{"rum", nil},
		{"citus", nil},
	} {
		if diff := cmp.Diff(names(Suppliers(ix, 18, tc.extension)), tc.want); diff != "" {
			t.Errorf("Suppliers(%q) (-got +want):\n%s", tc.extension, diff)
		}
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
		// suppliers are not depended on.
		suppliers []Other
		want      []lock.Require
	}{
		{"nothing", nil, nil, nil, nil},
		{
			"a control file's requirement, with where it is found",
			[]string{"postgis"},
			[]Other{postgis},
			nil,
			[]lock.Require{{Extension: "postgis", Package: "postgresql-18-postgis-3", Image: "postgis-3"}},
		},
		{"one that no dependency has", []string{"plpython3u"}, nil, nil, []lock.Require{{Extension: "plpython3u"}}},
		{
			"a dependency that no control file mentions: its main extension",
			nil,
			[]Other{postgis},
			nil,
			[]lock.Require{{Extension: "postgis", Package: "postgresql-18-postgis-3", Image: "postgis-3"}},
		},
		{
			"one without an extension: its module",
			nil,
			[]Other{{Package: "postgresql-18-wal2json", Modules: []string{"wal2json"}}},
			nil,
			[]lock.Require{{Module: "wal2json", Package: "postgresql-18-wal2json", Image: "wal2json"}},
		},
		{"one with neither", nil, []Other{{Package: "postgresql-18-x-doc"}}, nil, nil},
		{
			"one that no dependency has and another package of the archive has",
			[]string{"postgis"},
			nil,
			[]Other{postgis, {Package: "postgresql-18-more", Extensions: []string{"more"}}},
			[]lock.Require{{Extension: "postgis", Package: "postgresql-18-postgis-3", Image: "postgis-3"}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(Requires(18, tc.unmet, tc.others, tc.suppliers), tc.want); diff != "" {
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
