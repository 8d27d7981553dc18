package metadata

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(*Metadata)
		want string
	}{
		{"the example", func(*Metadata) {}, ""},
		{"name", func(m *Metadata) { m.Name = "Post GIS" }, `name: "Post GIS" does not match ^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$`},
		{"long name", func(m *Metadata) { m.Name = strings.Repeat("a", 60) }, `name: "` + strings.Repeat("a", 60) + `" is longer than 59 characters`},
		{"escaping path", func(m *Metadata) { m.BinPath = []string{"bin/../../x"} }, `bin_path[0]: "bin/../../x" leaves the image`},
		{"empty path", func(m *Metadata) { m.BinPath = []string{""} }, "bin_path[0]: is empty"},
		{"root", func(m *Metadata) { m.BinPath = []string{"./"} }, `bin_path[0]: "./" is the image's root`},
		{"same path twice", func(m *Metadata) { m.LDLibraryPath = []string{"lib", "/./lib/"} }, `ld_library_path[1]: "/./lib/" appears twice`},
		{"separator in a path", func(m *Metadata) { m.LDLibraryPath = []string{"a:b"} }, `ld_library_path[0]: "a:b" contains a character that separates or quotes entries of a path list`},
		{"reserved variables", func(m *Metadata) {
			m.Env = []EnvVar{{"PGDATA", "x"}, {"cnpg_x", "x"}, {"PATH", "x"}, {"A B", "x"}}
		}, "env[0]: CloudNativePG refuses PGDATA: it reserves PG*, CNPG_*, POD_NAME, NAMESPACE, CLUSTER_NAME, PATH, LD_LIBRARY_PATH\n" +
			"env[1]: CloudNativePG refuses cnpg_x: it reserves PG*, CNPG_*, POD_NAME, NAMESPACE, CLUSTER_NAME, PATH, LD_LIBRARY_PATH\n" +
			"env[2]: CloudNativePG refuses PATH: it reserves PG*, CNPG_*, POD_NAME, NAMESPACE, CLUSTER_NAME, PATH, LD_LIBRARY_PATH\n" +
			"env[3]: \"A B\" is not the name of an environment variable"},
		{"placeholders", func(m *Metadata) {
			m.Env = []EnvVar{{"A", "${image_root}/$x/$${other}"}, {"B", "${HOME}"}, {"C", "${image_root"}}
		}, "env[1]: the value of B contains the unknown placeholder ${HOME}: CloudNativePG supports only ${image_root}; write $${ for a literal ${\n" +
			"env[2]: the value of C contains an unterminated placeholder: ${ without }"},
		{"no value", func(m *Metadata) { m.Env = []EnvVar{{"A", ""}} }, "env[0]: the value of A is empty"},
		{
			"parameters", func(m *Metadata) { m.Parameters = map[string]string{"a.b": "", "a.b.c": "", "a\nb": "", "port": ""} },
			"parameters: \"a\\nb\" is not the name of a parameter\nparameters: \"a.b.c\" is not the name of a parameter",
		},
		{"same variable twice", func(m *Metadata) { m.Env = []EnvVar{{"A", "1"}, {"A", "2"}} }, "env[1]: A appears twice"},
		{"create without extension", func(m *Metadata) { m.Create = []string{"pgis"} }, `create[0]: "pgis" is not among the extensions`},
		{"two lines as extension", func(m *Metadata) { m.Extensions[0].Name, m.Create = "a\n\\! b", nil }, `extensions[0]: "a\n\\! b" cannot be the name of an extension`},
		{"a script as version", func(m *Metadata) { m.Extensions[0].Version = "1--2" }, `extensions[0]: "1--2" cannot be the version of an extension`},
		{"extension twice", func(m *Metadata) { m.Extensions = append(m.Extensions, m.Extensions[0]) }, `extensions[1]: "postgis" appears twice`},
		{"empty requirement", func(m *Metadata) { m.Requires = []Requirement{{Image: "x"}} }, "requires[0]: needs either an extension or a module"},
		{
			"all at once", func(m *Metadata) { m.Image, m.Version, m.Distro, m.Postgres = "", "", "", 0 },
			"image: is empty\nversion: is empty\ndistro: is empty\npostgres: 0 is not a major version",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := postgis()
			tc.edit(&m)
			got := ""
			if err := m.Validate(); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("Validate() (-got +want):\n%s", diff)
			}
		})
	}
}

func TestUnion(t *testing.T) {
	arm := func(edit func(*Metadata)) Metadata {
		m := postgis()
		m.Arch = "arm64"
		edit(&m)
		return m
	}
	t.Run("path lists", func(t *testing.T) {
		other := arm(func(m *Metadata) { m.LDLibraryPath, m.BinPath = []string{"lib", "system"}, []string{"bin"} })
		got, err := Union([]Metadata{other, postgis()})
		if err != nil {
			t.Fatal(err)
		}
		want := postgis().complete()
		want.Arch, want.LDLibraryPath, want.BinPath = "", []string{"system", "lib"}, []string{"bin"}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("Union() (-got +want):\n%s", diff)
		}
		again, err := Union([]Metadata{postgis(), other})
		if err != nil || !cmp.Equal(again, got) {
			t.Errorf("Union() depends on the order: %+v, %v", again, err)
		}
	})
	t.Run("one", func(t *testing.T) {
		if got, err := Union([]Metadata{postgis()}); err != nil || got.Arch != "amd64" {
			t.Errorf("Union() = %+v, %v", got, err)
		}
	})
	for _, tc := range []struct {
		name string
		all  []Metadata
		want string
	}{
		{
			"version",
			[]Metadata{postgis(), arm(func(m *Metadata) { m.Version = "3.6.3" })},
			`merging metadata: version differs between architectures: "3.6.4" on amd64, "3.6.3" on arm64`,
		},
		{
			"modules",
			[]Metadata{postgis(), arm(func(m *Metadata) { m.Modules = nil })},
			`merging metadata: modules differs between architectures: ["postgis-3","postgis_topology-3"] on amd64, [] on arm64`,
		},
		{"none", nil, "merging metadata: no architectures"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Union(tc.all); err == nil || err.Error() != tc.want {
				t.Errorf("Union() error = %v, want %s", err, tc.want)
			}
		})
	}
}
