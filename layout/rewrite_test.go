package layout

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
)

func TestRelocation(t *testing.T) {
	r := relocation{
		mount:    "/extensions/x",
		places:   map[string]bool{"share": true, "share/extension": true, "share/extension/a.data": true, "lib": true, "lib/m.so": true},
		sharedir: "/usr/share/postgresql/18", pkglibdir: "/usr/lib/postgresql/18/lib",
	}
	for _, tc := range []struct {
		name, in, want string
		libdir, paths  int
		left           []string
	}{
		{"function", "AS '$libdir/m', 'f'", "AS 'm', 'f'", 1, 0, nil},
		{"load", "LOAD '$libdir/postgis-3';", "LOAD 'postgis-3';", 1, 0, nil},
		{"with suffix", "LOAD '$libdir/m.so'", "LOAD 'm.so'", 1, 0, nil},
		{"nested quotes", "EXECUTE 'AS ''$libdir/m'', ''f'''", "EXECUTE 'AS ''m'', ''f'''", 1, 0, nil},
		{"several", "'$libdir/a' '$libdir/b'", "'a' 'b'", 2, 0, nil},
		{"subdirectory", "AS '$libdir/sub/m'", "AS '$libdir/sub/m'", 0, 0, []string{"PGX023 refers to the module $libdir/sub/m, which PostgreSQL searches in its own library directory only"}},
		{"built from pieces", "AS '$libdir/' || name", "AS '$libdir/' || name", 0, 0, []string{"PGX023 refers to the module $libdir/, which PostgreSQL searches in its own library directory only"}},
		{"not in quotes", "-- see $libdir/m\n", "-- see $libdir/m\n", 0, 0, nil},
		{"inside another string", "SELECT 'see $libdir/m'", "SELECT 'see $libdir/m'", 0, 0, nil},
		{"inside another string, then alone", "SELECT 'see $libdir/m', '$libdir/m'", "SELECT 'see $libdir/m', 'm'", 1, 0, nil},
		{"data file", "COPY t FROM '/usr/share/postgresql/18/extension/a.data';", "COPY t FROM '/extensions/x/share/extension/a.data';", 0, 1, nil},
		{"directory", "'/usr/share/postgresql/18/extension/' || f", "'/extensions/x/share/extension/' || f", 0, 1, nil},
		{"module by path", "AS '/usr/lib/postgresql/18/lib/m'", "AS '/extensions/x/lib/m'", 0, 1, nil},
		{"file of the base", "'/usr/share/postgresql/18/timezonesets/Default'", "'/usr/share/postgresql/18/timezonesets/Default'", 0, 0, []string{"PGX024 refers to /usr/share/postgresql/18/timezonesets/Default, which the image does not contain"}},
		{"longer name", "'/usr/share/postgresql/180/extension/a.data'", "'/usr/share/postgresql/180/extension/a.data'", 0, 0, nil},
		{"nothing", "SELECT 1", "SELECT 1", 0, 0, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := r.script([]byte(tc.in))
			if string(c.text) != tc.want || c.libdir != tc.libdir || c.paths != tc.paths {
				t.Errorf("script(%q) = %q, %d, %d; want %q, %d, %d", tc.in, c.text, c.libdir, c.paths, tc.want, tc.libdir, tc.paths)
			}
			var left []string
			for _, l := range c.left {
				left = append(left, l.code+" "+l.text)
			}
			if diff := cmp.Diff(tc.left, left); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRelocationControlFiles(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"quoted", "# '$libdir/m'\nmodule_pathname = '$libdir/m' # c\n", "# '$libdir/m'\nmodule_pathname = 'm' # c\n"},
		{"without equals sign", "module_pathname '$libdir/m'", "module_pathname 'm'"},
		{"twice", "module_pathname = '$libdir/first'\nmodule_pathname = '$libdir/m'\n", "module_pathname = 'first'\nmodule_pathname = 'm'\n"},
		{"another parameter", "comment = '$libdir/m'\n", "comment = '$libdir/m'\n"},
		{"subdirectory", "module_pathname = '$libdir/a/m'\n", "module_pathname = '$libdir/a/m'\n"},
		{"syntax error", "module_pathname = = '$libdir/m'", "module_pathname = = '$libdir/m'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := string((relocation{}).control([]byte(tc.in)).text); got != tc.want {
				t.Errorf("control(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

// unit is the file of a real package: a script with COPY from a data file.
func unit(t *testing.T) Input {
	t.Helper()
	return Input{Packages: []Package{pack(
		t, "postgresql-18-unit", lock.Extension, mod+"unit.so = "+elfMagic, ext+"unit_prefixes.data",
		ext+"unit.control = default_version = '7'\n",
		ext+"unit--7.sql = CREATE FUNCTION f AS '$libdir/unit';\nCOPY p FROM '/usr/share/postgresql/18/extension/unit_prefixes.data';\n",
	)}}
}

func TestMountIsSetByAbsolutePaths(t *testing.T) {
	r := arrange(t, unit(t))
	if r.Mount != "/extensions/x" {
		t.Errorf("Mount = %q", r.Mount)
	}
	want := "CREATE FUNCTION f AS 'unit';\nCOPY p FROM '/extensions/x/share/extension/unit_prefixes.data';\n"
	if got := content(t, r.Extension, "share/extension/unit--7.sql"); got != want {
		t.Errorf("script = %q, want %q", got, want)
	}
	wantReport := []FileReport{{ext + "unit--7.sql", Rewritten, "share/extension/unit--7.sql", "1 × $libdir/, 1 × absolute path", nil}}
	if diff := cmp.Diff(wantReport, reportsOf(r.Report, "share/extension/unit--7.sql")); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestKeepPaths(t *testing.T) {
	in := unit(t)
	in.KeepPaths = true
	r := arrange(t, in)
	want := []string{
		"PGX023 warning: share/extension/unit--7.sql: 1 × $libdir/, unchanged because of rewrite: none in the recipe",
		"PGX024 warning: share/extension/unit--7.sql: 1 × path of the default location, unchanged because of rewrite: none in the recipe",
	}
	if diff := cmp.Diff(want, texts(r.Findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	before, _ := in.Packages[0].Tree.Get(ext + "unit--7.sql")
	after, _ := r.Extension.Get("share/extension/unit--7.sql")
	if before.SHA256 != after.SHA256 || r.Mount != "" {
		t.Errorf("KeepPaths changed the script, or set the mount %q", r.Mount)
	}
}

func TestExtensions(t *testing.T) {
	r := arrange(t, Input{Packages: []Package{pack(
		t, "x", lock.Extension,
		// Installed by update scripts only, with a directory and a secondary file.
		ext+"a.control = default_version = '1.2'\ndirectory = 'a-scripts'\nrelocatable = true\n",
		"usr/share/postgresql/18/a-scripts/a--1.0.sql", "usr/share/postgresql/18/a-scripts/a--1.0--1.1.sql", "usr/share/postgresql/18/a-scripts/a--1.1--1.2.sql",
		"usr/share/postgresql/18/a-scripts/a--1.2.control = relocatable = false\nschema = s\nrequires = 'b'\n",
		// Without a script.
		ext+"b.control = default_version = '1'\nmodule_pathname = 'output'\n",
		// With a syntax error.
		ext+"c.control = default_version = 1.2.3\n", ext+"c--1.2.3.sql",
		// With an unknown parameter.
		ext+"d.control = default_version = '1'\ncolour = 'red'\n", ext+"d--1.sql = AS 'dm'",
		// With an absolute script directory.
		ext+"e.control = default_version = '1'\ndirectory = '/srv'\n",
		mod+"output.so", mod+"dm.so", mod+"alone.so", mod+"sub/nested.so",
	)}})
	want := []metadata.Extension{
		{Name: "a", Version: "1.2", Requires: []string{"b"}, Schema: "s"},
		{Name: "d", Version: "1"},
	}
	if diff := cmp.Diff(want, r.Extensions); diff != "" {
		t.Errorf("Extensions (-want +got):\n%s", diff)
	}
	wantFinds := []string{
		"PGX024 warning: share/extension/e.control: line 2: PostgreSQL searches the scripts in the absolute directory /srv",
		`PGX025 warning: share/extension/c.control: line 1: syntax error near ".3"`,
		`PGX025 warning: share/extension/d.control: line 2: unrecognized parameter "colour"`,
		`PGX031 note: share/extension/b.control: no script in share/extension installs version "1" of b`,
		`PGX031 note: share/extension/e.control: no script in share/srv installs version "1" of e`,
	}
	if diff := cmp.Diff(wantFinds, texts(r.Findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	for _, list := range []struct {
		name      string
		got, want []string
	}{
		{"Unscripted", r.Unscripted, []string{"b", "e"}},
		{"Modules", r.Modules, []string{"alone", "dm", "output"}},
	} {
		if diff := cmp.Diff(list.want, list.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", list.name, diff)
		}
	}
}

func FuzzRelocation(f *testing.F) {
	f.Add("LOAD '$libdir/x'; '$libdir/a/b' $libdir/ '/usr/share/postgresql/18/extension/a' /usr/lib/postgresql/18/lib")
	f.Add("$libdir/'$libdir/''$libdir/'")
	r := relocation{mount: "/extensions/x", places: map[string]bool{"share/extension/a": true, "lib": true}, sharedir: "/usr/share/postgresql/18", pkglibdir: "/usr/lib/postgresql/18/lib"}
	f.Fuzz(func(t *testing.T, text string) {
		c := r.script([]byte(text))
		if c.libdir+c.paths == 0 && string(c.text) != text {
			t.Errorf("script(%q) = %q without counting a change", text, c.text)
		}
		if again := r.script(c.text); again.paths > 0 {
			t.Errorf("script(%q) is not idempotent", text)
		}
	})
}
