package closure

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/elf"
)

func TestWellKnown(t *testing.T) {
	bundled := func(sonames ...string) []elf.Provider {
		var out []elf.Provider
		for _, s := range sonames {
			out = append(out, elf.Provider{SONAME: s})
		}
		return out
	}
	for _, tc := range []struct {
		name    string
		bundled []elf.Provider
		set     []string
		want    []Data
	}{
		{"nothing known", bundled("libgeos.so.3", "libproject.so.1", "libRblas.so"), nil, nil},
		{"in the order of the table", bundled("libgdal.so.36", "libproj.so.25"), nil, []Data{
			{Package: "proj-data", From: "usr/share/proj", To: "share/proj", Env: "PROJ_DATA", Home: "share/proj"},
			{Package: "gdal-data", From: "usr/share/gdal", To: "share/gdal", Env: "GDAL_DATA", Home: "share/gdal"},
		}},
		{"the recipe sets a variable", bundled("libgdal.so.36", "libproj.so.25"), []string{"GDAL_DATA"}, []Data{
			{Package: "proj-data", From: "usr/share/proj", To: "share/proj", Env: "PROJ_DATA", Home: "share/proj"},
		}},
		{"version of the library", bundled("libtcl8.6.so"), nil, []Data{
			{Package: "libtcl8.6", From: "usr/share/tcltk/tcl8.6", To: "share/tcl8.6", Env: "TCL_LIBRARY", Home: "share/tcl8.6"},
		}},
		{"two folders, one variable", bundled("libpython3.14.so.1.0"), nil, []Data{
			{Package: "libpython3.14-minimal", From: "usr/lib/python3.14", To: "share/python/lib/python3.14", Env: "PYTHONHOME", Home: "share/python"},
			{Package: "libpython3.14-stdlib", From: "usr/lib/python3.14", To: "share/python/lib/python3.14"},
		}},
		{"folder of the architecture", bundled("libmariadb.so.3"), nil, []Data{
			{Package: "libmariadb3", From: "usr/lib/aarch64-linux-gnu/libmariadb3/plugin", To: "share/mariadb/plugin", Env: "MARIADB_PLUGIN_DIR", Home: "share/mariadb/plugin"},
		}},
		{"both go with the variable", bundled("libpython3.14.so.1.0"), []string{"PYTHONHOME"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Without(WellKnown("arm64", tc.bundled), tc.set)
			if diff := cmp.Diff(tc.want, got, cmpEmpty); diff != "" {
				t.Errorf("WellKnown() (-want +got):\n%s", diff)
			}
		})
	}
}

// cmpEmpty takes a nil list for an empty one.
var cmpEmpty = cmp.FilterValues(func(a, b []Data) bool { return len(a)+len(b) == 0 }, cmp.Comparer(func(a, b []Data) bool { return true }))

func TestOutside(t *testing.T) {
	var got []string
	for _, f := range Outside([]elf.Provider{{SONAME: "libclamav.so.12"}, {SONAME: "libclammspack.so.0"}}) {
		got = append(got, f.String())
	}
	want := []string{"PGX034 warning: system/libclamav.so.12: reads the virus database at /var/lib/clamav, and no package has it"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("Outside() (-got +want):\n%s", diff)
	}
}

func TestReadBy(t *testing.T) {
	bundled := []elf.Provider{{SONAME: "libgdal.so.36"}, {SONAME: "libproj.so.25"}}
	if diff := cmp.Diff(ReadBy("amd64", "usr/share/proj", bundled), []string{"system/libproj.so.25"}); diff != "" {
		t.Errorf("ReadBy() (-got +want):\n%s", diff)
	}
}
