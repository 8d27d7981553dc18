package probe_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/elf/elftest"
	"github.com/pgext/pgext/internal/probe"
	"github.com/pgext/pgext/internal/recipe"
)

// asks is a module that knows whether it is preloaded.
var asks = elftest.Spec{Imports: []string{"process_shared_preload_libraries_in_progress"}}

// What a recipe says beyond name and source.
func TestFind(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files files
		// recipe is called x where this is empty.
		recipe string
		want   string
	}{
		{"nothing where all can be derived", join(sql("x", "module_pathname = '$libdir/x'\n"), files{"lib/x.so": module(asks)}), "", ""},
		{
			"a module that insists", join(sql("pg_x", ""), files{"lib/pg_x.so": module(asks, "no", "pg_x can only be loaded via shared_preload_libraries")}), "",
			`# lib/pg_x.so says: pg_x can only be loaded via shared_preload_libraries
shared_preload_libraries: [pg_x]
`,
		},
		{
			"only the sentence that matters",
			files{"lib/x.so": module(asks, "x must be loaded via shared_preload_libraries. Do it.")},
			"",
			`# lib/x.so says: x must be loaded via shared_preload_libraries
shared_preload_libraries: [x]
`,
		},
		{
			"other words for it",
			files{
				"lib/a.so": module(asks, "a is not in shared_preload_libraries"),
				"lib/b.so": module(asks, "Add 'b' to 'shared_preload_libraries', and restart the server."),
				"lib/c.so": module(asks, "Please preload the c library via shared_preload_libraries."),
				"lib/d.so": module(asks, `d must be loaded via "shared_preload_libraries"`),
			},
			"",
			`# lib/a.so says: a is not in shared_preload_libraries
# lib/b.so says: Add 'b' to 'shared_preload_libraries', and restart the server
# lib/c.so says: Please preload the c library via shared_preload_libraries
# lib/d.so says: d must be loaded via "shared_preload_libraries"
shared_preload_libraries: [a, b, c, d]
`,
		},
		{
			"the opposite of it", files{
				"lib/a.so": module(asks, "The a extension can not be loaded using shared_preload_libraries."),
				"lib/b.so": module(asks, "Without shared_preload_libraries, only current backend stats will be available."),
				"lib/c.so": module(asks, "c was not loaded via shared_preload_libraries", "process_shared_preload_libraries_in_progress"),
				"lib/d.so": module(asks, "pg_durable is not present in shared_preload_libraries"),
			}, "", "",
		},
		{
			"a part of a module that insists",
			files{"lib/x.so": module(asks, "x must be loaded via shared_preload_libraries to use its history")},
			"",
			`# a guess, check it: lib/x.so says: x must be loaded via shared_preload_libraries to use its history
shared_preload_libraries: [x]
`,
		},
		{
			"a background worker",
			files{"lib/x.so": module(elftest.Spec{Imports: []string{"RegisterBackgroundWorker"}})},
			"",
			`# a guess, check it: lib/x.so registers a background worker, which PostgreSQL takes only at its
#   start
shared_preload_libraries: [x]
`,
		},
		{
			"the loader of a versioned module",
			files{
				"lib/x.so":     module(asks, "Please preload the x library via shared_preload_libraries."),
				"lib/x-2.1.so": module(asks, "Please preload the x library via shared_preload_libraries."),
			},
			"",
			`# lib/x.so says: Please preload the x library via shared_preload_libraries
shared_preload_libraries: [x]
`,
		},
		{
			"needed modules come first, those of extensions that are not created not at all",
			join(sql("x", "module_pathname = '$libdir/a_x'\nrequires = x_core\n"), sql("x_core", "module_pathname = '$libdir/z_core'\n"),
				sql("x_more", "module_pathname = '$libdir/x_more'\nrequires = 'x'\n"), files{
					"lib/a_x.so":    module(elftest.Spec{Needed: []string{"z_core.so", "x_util.so"}}, "a_x can only be loaded via shared_preload_libraries"),
					"lib/z_core.so": module(asks, "z_core can only be loaded via shared_preload_libraries"),
					"lib/x_more.so": module(asks, "x_more can only be loaded via shared_preload_libraries"),
					"lib/x_util.so": module(asks, "x_util can only be loaded via shared_preload_libraries"),
				}), "x",
			`# lib/z_core.so says: z_core can only be loaded via shared_preload_libraries
# lib/a_x.so says: a_x can only be loaded via shared_preload_libraries
shared_preload_libraries: [z_core, a_x]
`,
		},
		{
			"documentation, where the module cannot tell",
			files{
				"lib/x.so": module(elftest.Spec{}), "lib/y.so": module(asks),
				"doc/README.md": "Put this into postgresql.conf:\n\n    shared_preload_libraries = '$libdir/x, y' # restart\n",
			},
			"",
			`# a guess, check it: README.md says: shared_preload_libraries = 'x,y'
shared_preload_libraries: [x]
`,
		},
		{
			"compressed documentation",
			files{
				"lib/x.so": module(elftest.Spec{}), "doc/README.md.gz": zipped(t, "shared_preload_libraries = 'x'"),
				"doc/changelog.gz": zipped(t, "shared_preload_libraries = 'z'"), "doc/broken.txt.gz": "shared_preload_libraries = x",
			},
			"",
			`# a guess, check it: README.md.gz says: shared_preload_libraries = 'x'
shared_preload_libraries: [x]
`,
		},
		{
			"what CloudNativePG preloads", join(sql("pgaudit", ""), files{"lib/pgaudit.so": module(asks, "pgaudit must be loaded via shared_preload_libraries")}), "",
			`parameters:
  # lib/pgaudit.so says: pgaudit must be loaded via shared_preload_libraries; CloudNativePG preloads
  #   pgaudit as soon as a parameter begins with pgaudit. and not before
  pgaudit.log: ddl
`,
		},
		{
			"what CloudNativePG preloads for an extension that requires it", join(sql("x", "requires = 'pg_stat_statements, plpgsql'\n"), files{"lib/x.so": module(asks)}), "",
			`parameters:
  # share/extension/x.control requires pg_stat_statements; CloudNativePG preloads pg_stat_statements
  #   as soon as a parameter begins with pg_stat_statements. and not before
  pg_stat_statements.track: top
`,
		},
		{
			"an output plugin",
			files{"lib/x.so": module(elftest.Spec{Exports: []string{"_PG_init", "_PG_output_plugin_init"}}), "doc/README.md": "shared_preload_libraries = x"},
			"",
			`# lib/x.so exports _PG_output_plugin_init
output_plugins: [x]
`,
		},
		{
			"the extension called like the package, but for a version", join(sql("x_more", ""), sql("x", "")), "x-3",
			`# of x and x_more, this one is called like the package
create: [x]
`,
		},
		{
			"extensions of which none is called like the package", join(sql("one", ""), sql("two", "requires = 'three'\n"), sql("three", "")), "x2",
			`# a guess, check it: none is called like the package, so all that no other one requires
create: [one, two]
`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			name := tc.recipe
			if name == "" {
				name = "x"
			}
			in := input(t, name, pkg(t, "postgresql-18-"+name, tc.files))
			for _, e := range in.Arranged.Extensions {
				if e.Name == name {
					in.Create = []string{name}
				}
			}
			for range 2 { // twice gives the same
				got := text(t, in)
				want := fmt.Sprintf("name: %s\nsource:\n  deb:\n    packages: [\"postgresql-${pg}-%s\"]\n", name, name) + tc.want
				if diff := cmp.Diff(got, want); diff != "" {
					t.Errorf("Find().Recipe() (-got +want):\n%s", diff)
				}
			}
		})
	}
}

func text(t *testing.T, in probe.Input) string {
	t.Helper()
	facts, err := probe.Find(in)
	if err != nil {
		t.Fatalf("Find: %v", err)
	}
	b, err := facts.Recipe()
	if err != nil {
		t.Fatalf("Recipe: %v", err)
	}
	return string(b)
}

// A library that is opened at run time is bundled when the package brings it
// along, and only then.
func TestFindLibraries(t *testing.T) {
	opens := elftest.Spec{SONAME: "libown.so", Needed: []string{"libneeded.so.1"}, Imports: []string{"dlopen"}}
	const names = "libown.so\x00libneeded.so.1\x00libx.so\x00x.so\x00libx.so: %s\x00libgone.so.2\x00libadle.so.5"
	has := map[string]string{"libown.so": "a", "libneeded.so.1": "b", "libx.so": "libx-dev", "libadle.so.5": "libadle5"}
	for _, tc := range []struct {
		name string
		spec elftest.Spec
		want []string
	}{
		{"a module that imports dlopen", opens, []string{"libx.so", "libadle.so.5"}},
		{"any other", elftest.Spec{}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, "x", pkg(t, "postgresql-18-x", files{"lib/x.so": module(tc.spec, names)}))
			in.Library = func(name string) (string, bool, error) { return has[name], has[name] != "", nil }
			facts, err := probe.Find(in)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range facts.Libraries {
				got = append(got, l.Value)
				if !l.Guess || !strings.Contains(l.How, has[l.Value]) {
					t.Errorf("%s is known by %q", l.Value, l.How)
				}
			}
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("Find().Libraries (-got +want):\n%s", diff)
			}
		})
	}
	in := input(t, "x", pkg(t, "postgresql-18-x", files{"lib/x.so": module(opens, names)}))
	broken := errors.New("the network is gone")
	in.Library = func(string) (string, bool, error) { return "", false, broken }
	if _, err := probe.Find(in); !errors.Is(err, broken) {
		t.Errorf("Find() = %v, want the error of Library", err)
	}
}

// The target is told when it is not the default, archives when they have to be.
func TestRecipeTarget(t *testing.T) {
	const head = "name: x\nsource:\n  deb:\n    packages: [\"postgresql-${pg}-x\"]\n"
	for _, tc := range []struct {
		name  string
		facts probe.Facts
		want  string
	}{
		{"the default", probe.Facts{Distro: "trixie", Postgres: 18, Archs: []string{"amd64", "arm64"}}, ""},
		{"another distribution", probe.Facts{Distro: "forky", Postgres: 18, Archs: []string{"amd64", "arm64"}}, "targets:\n  - {distro: forky}\n"},
		{"another major", probe.Facts{Distro: "trixie", Postgres: 17, Archs: []string{"amd64", "arm64"}}, "targets:\n  - {postgres: [17]}\n"},
		{
			"an architecture that lacks it",
			probe.Facts{Distro: "sid", Postgres: 19, Archs: []string{"amd64"}, Lacking: []probe.Lack{{Arch: "arm64", Reason: "no\nsuch package"}}},
			"targets:\n  # not for arm64: no such package\n  - {distro: sid, postgres: [19], archs: [amd64]}\n",
		},
		{
			"archives",
			probe.Facts{Distro: "trixie", Postgres: 18, Archs: []string{"amd64", "arm64"}, Archives: []recipe.Archive{
				{Name: "debian"}, {Name: "own", URL: "https://example.org", Suite: "stable", SignedBy: "../key.asc"},
			}},
			"archives:\n  - debian\n  - {\"name\":\"own\",\"url\":\"https://example.org\",\"suite\":\"stable\",\"signed_by\":\"../key.asc\"}\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.facts.Name, tc.facts.Packages = "x", []string{"postgresql-${pg}-x"}
			got, err := tc.facts.Recipe()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(got), head+tc.want); diff != "" {
				t.Errorf("Recipe() (-got +want):\n%s", diff)
			}
		})
	}
	t.Run("a name that YAML takes for something else", func(t *testing.T) {
		for _, name := range []string{"on", "null", "2"} {
			facts := probe.Facts{Name: name, Packages: []string{"postgresql-${pg}-" + name}, Distro: "trixie", Postgres: 18, Archs: []string{"amd64", "arm64"}}
			got, err := facts.Recipe()
			if err != nil || !strings.HasPrefix(string(got), fmt.Sprintf("name: %q\n", name)) {
				t.Errorf("Recipe() = %q, %v", got, err)
			}
		}
	})
	t.Run("what is no recipe is not returned", func(t *testing.T) {
		var problems *recipe.Errors
		if _, err := (probe.Facts{Name: "X!", Packages: []string{"x"}, Distro: "trixie", Postgres: 18}).Recipe(); !errors.As(err, &problems) {
			t.Errorf("Recipe() = %v, want *recipe.Errors", err)
		}
	})
}

// Whatever a module or its documentation holds, the recipe is one, on the same
// lines.
func FuzzFind(f *testing.F) {
	f.Add([]byte("x can only be loaded via shared_preload_libraries"), []byte("shared_preload_libraries = 'x, pg_stat_statements'"))
	f.Add([]byte("libx.so\x00Add 'x' to shared_preload_libraries\n# not a comment: x"), []byte("shared_preload_libraries=$libdir/x\x01"))
	f.Add([]byte(strings.Repeat("preload", 3000)), []byte("shared_preload_libraries = '"+strings.Repeat("x,", 3000)))
	f.Fuzz(func(t *testing.T, texts, manual []byte) {
		in := input(t, "x", pkg(t, "postgresql-18-x", files{
			"lib/x.so": module(elftest.Spec{Imports: []string{"dlopen"}}, string(texts)), "doc/README.md": string(manual),
		}))
		in.Library = func(string) (string, bool, error) { return "libx-dev", true, nil }
		if got := text(t, in); !strings.HasPrefix(got, "name: x\nsource:\n  deb:\n") {
			t.Errorf("Find().Recipe() = %q", got)
		}
	})
}
