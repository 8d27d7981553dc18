package layout

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/license"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
)

// geo returns the input for an extension with a bundled library and data.
func geo(t *testing.T) Input {
	t.Helper()
	return Input{
		Packages: []Package{
			pack(t, "proj-data", lock.Data, "usr/share/proj/proj.db", "usr/share/proj/nad/ch", "usr/share/other"),
			pack(t, "libgeo1", lock.Library, "usr/lib/x86_64-linux-gnu/libgeo.so.1.2 = "+elfMagic, "usr/lib/x86_64-linux-gnu/libgeo.so.1 -> libgeo.so.1.2", "usr/share/doc/libgeo1/changelog.gz", "usr/share/doc/libgeo1/copyright = "+dep5("Expat")),
			pack(
				t, "postgresql-18-geo", lock.Extension,
				mod+"geo-3.so = "+elfMagic, mod+"bitcode/geo-3.index.bc",
				ext+"geo.control = default_version = '3.1'\nmodule_pathname = '$libdir/geo-3'\nrequires = 'plpgsql'\ntrusted = true\n",
				ext+"geo--3.0.sql", ext+"geo--3.0--3.1.sql = LOAD '$libdir/geo-3';\n",
				"usr/lib/postgresql/18/bin/geo2pgsql = "+elfMagic,
				"usr/share/doc/postgresql-18-geo/README.md",
				"usr/share/doc/postgresql-18-geo/copyright = "+dep5("PostgreSQL"),
			),
		},
		Libraries: []elf.Provider{{Package: "libgeo1", Path: "usr/lib/x86_64-linux-gnu/libgeo.so.1.2", SONAME: "libgeo.so.1"}},
		NeededBy:  map[string][]string{"libgeo.so.1": {"lib/geo-3.so"}},
		Data:      []DataMapping{{Package: "proj-data", From: "usr/share/proj", To: "share/proj"}},
		Siblings:  true,
	}
}

func TestArrange(t *testing.T) {
	r := arrange(t, geo(t))
	want := strings.TrimPrefix(`
d 0755 2026-03-01T12:00:00Z 0 - bin
f 0755 2026-03-01T12:00:00Z 4 3bdbb4fe8397 bin/geo2pgsql
d 0755 2026-03-01T12:00:00Z 0 - lib
f 0644 2026-03-01T12:00:00Z 4 3bdbb4fe8397 lib/geo-3.so
d 0755 2026-03-01T12:00:00Z 0 - licenses
d 0755 2026-03-01T12:00:00Z 0 - licenses/postgresql-18-geo
f 0644 2026-03-01T12:00:00Z 118 a41b9408287e licenses/postgresql-18-geo/copyright
d 0755 2026-03-01T12:00:00Z 0 - share
d 0755 2026-03-01T12:00:00Z 0 - share/extension
f 0644 2026-03-01T12:00:00Z 14 62ae75336e36 share/extension/geo--3.0--3.1.sql
f 0644 2026-03-01T12:00:00Z 46 4b3aa7b6ce4b share/extension/geo--3.0.sql
f 0644 2026-03-01T12:00:00Z 86 68686e54ba8a share/extension/geo.control
`, "\n")
	if diff := cmp.Diff(want, withoutDatabase(r.Extension).Dump()); diff != "" {
		t.Errorf("Extension (-want +got):\n%s", diff)
	}
	wantLibraries := []string{
		"644 licenses/libgeo1/copyright", "644 licenses/proj-data/copyright",
		"644 share/proj/nad/ch", "644 share/proj/proj.db", "644 system/libgeo.so.1",
	}
	if diff := cmp.Diff(wantLibraries, listing(r.Libraries)); diff != "" {
		t.Errorf("Libraries (-want +got):\n%s", diff)
	}
	if lib, _ := r.Libraries.Get("system/libgeo.so.1"); lib.Origin.Path != "usr/lib/x86_64-linux-gnu/libgeo.so.1.2" {
		t.Errorf("origin of the library = %+v", lib.Origin)
	}
	got := r
	got.Extension, got.Libraries, got.Report = filetree.Tree{}, filetree.Tree{}, Report{}
	wantRest := Result{
		Contents: Contents{
			Extensions: []metadata.Extension{{Name: "geo", Version: "3.1", Requires: []string{"plpgsql"}, Trusted: true}},
			Modules:    []string{"geo-3"},
		},
		Licenses: []PackageLicense{
			{Package: "libgeo1", Role: lock.Library, License: license.License{Expression: "MIT"}, Text: dep5("Expat"), Notices: []string{"A"}},
			{Package: "postgresql-18-geo", Role: lock.Extension, License: license.License{Expression: "PostgreSQL"}, Text: dep5("PostgreSQL"), Notices: []string{"A"}},
			{Package: "proj-data", Role: lock.Data, Reason: "the copyright file is not machine-readable (DEP-5)", Text: "proj-data's licence"},
		},
		Given:                []string{"libgeo1", "postgresql-18-geo", "proj-data"},
		ExtensionControlPath: []string{"share"}, DynamicLibraryPath: []string{"lib"},
		LDLibraryPath: []string{"system", "lib"}, BinPath: []string{"bin"}, Epoch: march,
	}
	if diff := cmp.Diff(wantRest, got, cmpopts.IgnoreFields(Result{}, "Extension", "Libraries"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Arrange() (-want +got):\n%s", diff)
	}
}

func TestReport(t *testing.T) {
	want := []PackageReport{
		{
			Package: "libgeo1", Version: "1.0-1", Source: "libgeo1", Role: lock.Library,
			Files: []FileReport{
				{"usr/lib/x86_64-linux-gnu/libgeo.so.1.2", Bundled, "system/libgeo.so.1", "library missing in the base", []string{"lib/geo-3.so"}},
				{"usr/share/doc/libgeo1/copyright", Placed, "licenses/libgeo1/copyright", "copyright", nil},
			},
			Dropped: []DropsReport{{"not needed", []string{"usr/lib/x86_64-linux-gnu/libgeo.so.1", "usr/share/doc/libgeo1/changelog.gz"}}},
		},
		{
			Package: "postgresql-18-geo", Version: "1.0-1", Source: "postgresql-18-geo", Role: lock.Extension,
			Files: []FileReport{
				{"usr/lib/postgresql/18/bin/geo2pgsql", Placed, "bin/geo2pgsql", "", nil},
				{mod + "geo-3.so", Placed, "lib/geo-3.so", "", nil},
				{"usr/share/doc/postgresql-18-geo/copyright", Placed, "licenses/postgresql-18-geo/copyright", "copyright", nil},
				{ext + "geo--3.0--3.1.sql", Rewritten, "share/extension/geo--3.0--3.1.sql", "1 × $libdir/", nil},
				{ext + "geo--3.0.sql", Placed, "share/extension/geo--3.0.sql", "", nil},
				{ext + "geo.control", Rewritten, "share/extension/geo.control", "1 × $libdir/", nil},
			},
			Dropped: []DropsReport{
				{"bitcode: PostgreSQL searches its own directory only", []string{mod + "bitcode/geo-3.index.bc"}},
				{"documentation", []string{"usr/share/doc/postgresql-18-geo/README.md"}},
			},
		},
		{
			Package: "proj-data", Version: "1.0-1", Source: "proj-data", Role: lock.Data,
			Files: []FileReport{
				{"usr/share/doc/proj-data/copyright", Placed, "licenses/proj-data/copyright", "copyright", nil},
				{"usr/share/proj/nad/ch", Bundled, "share/proj/nad/ch", "bundle.data in the recipe", nil},
				{"usr/share/proj/proj.db", Bundled, "share/proj/proj.db", "bundle.data in the recipe", nil},
			},
			Dropped: []DropsReport{{"not needed", []string{"usr/share/other"}}},
		},
	}
	r := arrange(t, geo(t))
	if diff := cmp.Diff(want, r.Report.Packages); diff != "" {
		t.Errorf("Report (-want +got):\n%s", diff)
	}
}

// TestPlacesAgreesWithArrange compares Places with Arrange: the places are equal;
// Places does not rewrite or generate files.
func TestPlacesAgreesWithArrange(t *testing.T) {
	in := geo(t)
	in.Name, in.Postgres = "x", 18
	in.Interpreter = func(string) bool { return true }
	extension, libraries, err := Places(in)
	if err != nil {
		t.Fatal(err)
	}
	r := arrange(t, in)
	kept := func(tree filetree.Tree) []string {
		return listing(tree.Filter(func(e filetree.Entry) bool { return e.Origin.Package != "" }))
	}
	if diff := cmp.Diff(kept(extension), kept(r.Extension)); diff != "" {
		t.Errorf("extension (-Places +Arrange):\n%s", diff)
	}
	if diff := cmp.Diff(kept(libraries), kept(r.Libraries)); diff != "" {
		t.Errorf("libraries (-Places +Arrange):\n%s", diff)
	}
	if _, _, err := Places(Input{}); err == nil {
		t.Error("no error about an input without a name")
	}
}

func TestArrangeIsDeterministic(t *testing.T) {
	in := geo(t)
	first := arrange(t, in)
	in.Packages[0], in.Packages[2] = in.Packages[2], in.Packages[0]
	second := arrange(t, in)
	if diff := cmp.Diff(first.Extension.Dump()+first.Libraries.Dump(), second.Extension.Dump()+second.Libraries.Dump()); diff != "" {
		t.Errorf("trees of the packages in another order differ:\n%s", diff)
	}
	encode := func(r Result) string {
		b, err := json.Marshal([]any{r.Report, r.Findings, r.Extensions, r.Given})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if diff := cmp.Diff(encode(first), encode(second)); diff != "" {
		t.Errorf("reports of the packages in another order differ:\n%s", diff)
	}
}

// TestLibrariesDoNotDependOnTheExtension checks that an update of the extension
// does not change the library layer.
func TestLibrariesDoNotDependOnTheExtension(t *testing.T) {
	in := geo(t)
	before := arrange(t, in)
	in.Packages[2] = pack(t, "postgresql-18-geo", lock.Extension, mod+"geo-4.so = "+elfMagic, ext+"geo.control = default_version = '4'\n")
	after := arrange(t, in)
	if diff := cmp.Diff(before.Libraries.Dump(), after.Libraries.Dump()); diff != "" {
		t.Errorf("Libraries (-before +after):\n%s", diff)
	}
}

func TestEpoch(t *testing.T) {
	in := geo(t)
	in.Packages = append(in.Packages, pack(t, "unused", lock.Library, "usr/lib/libunused.so.1"))
	in.Packages[3].Tree = older(t, in.Packages[3].Tree, -24*time.Hour)
	if got := arrange(t, in).Epoch; !got.Equal(march) {
		t.Errorf("Epoch = %v with a newer package without files in the image, want %v", got, march)
	}
	in.Packages[1].Tree = older(t, in.Packages[1].Tree, -time.Hour)
	if got := arrange(t, in).Epoch; !got.Equal(march.Add(time.Hour)) {
		t.Errorf("Epoch = %v with a newer library, want an hour more than %v", got, march)
	}
}

// older returns the tree with every file age older.
func older(t *testing.T, tree filetree.Tree, age time.Duration) filetree.Tree {
	t.Helper()
	var entries []filetree.Entry
	for e := range tree.All() {
		e.ModTime = e.ModTime.Add(-age)
		entries = append(entries, e)
	}
	out, err := filetree.New(entries)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestArrangeErrors(t *testing.T) {
	x := pack(t, "x", lock.Extension, mod+"x.so = "+elfMagic)
	tree, err := filetree.New([]filetree.Entry{{Path: mod + "x.so", Size: 4}})
	if err != nil {
		t.Fatal(err)
	}
	unkept := Package{Name: "x", Role: lock.Extension, Tree: tree}
	for _, tc := range []struct {
		name string
		in   Input
		want string
	}{
		{"no name", Input{}, `arranging an image: invalid name ""`},
		{"package twice", Input{Name: "x", Packages: []Package{x, x}}, "arranging x: duplicate package x"},
		{"no role", Input{Name: "x", Packages: []Package{{Name: "y"}}}, "arranging x: package y has no role"},
		{"library of an unknown package", Input{Name: "x", Libraries: []elf.Provider{{Package: "y", Path: "usr/lib/y.so", SONAME: "y.so"}}}, "arranging x: library usr/lib/y.so: package y is not among the packages"},
		{"missing library", Input{Name: "x", Packages: []Package{x}, Libraries: []elf.Provider{{Package: "x", Path: "usr/lib/y.so", SONAME: "y.so"}}}, "arranging x: library usr/lib/y.so: package x has no such file"},
		{"hostile SONAME", Input{Name: "x", Packages: []Package{x}, Libraries: []elf.Provider{{Package: "x", Path: mod + "x.so", SONAME: "../x"}}}, `arranging x: library usr/lib/postgresql/18/lib/x.so: SONAME "../x" is not a file name`},
		{"data of an unknown package", Input{Name: "x", Data: []DataMapping{{"y", "a", "b", "", nil}}}, "arranging x: data of package y: it is not among the packages"},
		{"data outside the image", Input{Name: "x", Packages: []Package{x}, Data: []DataMapping{{"x", "a", "../b", "", nil}}}, `arranging x: data of package x: "a" to "../b": not paths relative to the root`},
		{"missing data", Input{Name: "x", Packages: []Package{x}, Data: []DataMapping{{"x", "usr/share/y", "share/y", "", nil}}}, `arranging x: data of package x: the package has no files at "usr/share/y"`},
		{"content not kept", Input{Name: "x", Postgres: 18, Packages: []Package{unkept}}, "arranging x: package x: reading usr/lib/postgresql/18/lib/x.so: no content"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Arrange(tc.in)
			if got := errorText(err); got != tc.want {
				t.Errorf("Arrange() error = %q, want %q", got, tc.want)
			}
		})
	}
}
