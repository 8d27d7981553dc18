package metadata

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMerge(t *testing.T) {
	geo := Metadata{
		Name: "postgis", Extensions: []Extension{{Name: "postgis"}}, Modules: []string{"postgis-3"},
		ExtensionControlPath: []string{"share"}, DynamicLibraryPath: []string{"lib"}, LDLibraryPath: []string{"system", "./lib"}, BinPath: []string{"bin"},
		Env:                    []EnvVar{{"PROJ_DATA", "${image_root}/share/proj"}, {"X", "$${image_root}"}},
		Parameters:             map[string]string{"a.b": "1", "pgaudit.log": "ddl"},
		SharedPreloadLibraries: []string{"first", "postgis-3"},
	}
	routing := Metadata{
		Name: "pgrouting", Requires: []Requirement{{Extension: "postgis"}},
		ExtensionControlPath: []string{"share"}, DynamicLibraryPath: []string{"lib"},
		Env:                    []EnvVar{{"PROJ_DATA", "${image_root}/share/proj"}},
		Parameters:             map[string]string{"a.b": "2"},
		SharedPreloadLibraries: []string{"routing", "first"},
		OutputPlugins:          []string{"decoder"},
	}
	got, conflicts := Merge([]Metadata{routing, geo})
	want := Server{
		ExtensionControlPath:   "$system:/extensions/pgrouting/share:/extensions/postgis/share",
		DynamicLibraryPath:     "$libdir:/extensions/pgrouting/lib:/extensions/postgis/lib",
		LDLibraryPath:          []string{"/extensions/postgis/system", "/extensions/postgis/lib"},
		Path:                   []string{"/extensions/postgis/bin"},
		Env:                    []EnvVar{{"PROJ_DATA", "/extensions/postgis/share/proj"}, {"X", "${image_root}"}},
		SharedPreloadLibraries: []string{"pgaudit", "first", "postgis-3", "routing"},
		Parameters:             map[string]string{"a.b": "2", "pgaudit.log": "ddl"},
		OutputPlugins:          []string{"decoder"},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("server (-got +want):\n%s", diff)
	}
	var texts []string
	for _, c := range conflicts {
		texts = append(texts, c.String())
	}
	if diff := cmp.Diff(texts, []string{
		`parameter a.b is "2" for pgrouting and "1" for postgis`,
		`variable PROJ_DATA is "/extensions/pgrouting/share/proj" for pgrouting and "/extensions/postgis/share/proj" for postgis`,
	}); diff != "" {
		t.Errorf("conflicts (-got +want):\n%s", diff)
	}
}

// TestMergeDefaults checks the default directories for an image without path
// lists.
func TestMergeDefaults(t *testing.T) {
	got, _ := Merge([]Metadata{{Name: "a"}, {Name: "b", DynamicLibraryPath: []string{"/x//y/"}}})
	want := Server{
		ExtensionControlPath: "$system:/extensions/a/share:/extensions/b/share",
		DynamicLibraryPath:   "$libdir:/extensions/a/lib:/extensions/b/x/y",
		Parameters:           map[string]string{},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("server (-got +want):\n%s", diff)
	}
}

func TestInOrder(t *testing.T) {
	image := func(name string, requires ...string) Metadata {
		m := Metadata{Name: name, Extensions: []Extension{{Name: name}}, Modules: []string{"lib" + name}}
		for _, r := range requires {
			m.Requires = append(m.Requires, Requirement{Extension: r})
		}
		return m
	}
	module := image("m")
	module.Requires = []Requirement{{Module: "liba"}}
	for _, tc := range []struct {
		name   string
		images []Metadata
		want   []string
	}{
		{"none", nil, nil},
		{"independent images", []Metadata{image("b"), image("a")}, []string{"b", "a"}},
		{"required first", []Metadata{image("c", "b"), image("b", "a", "absent"), image("a")}, []string{"a", "b", "c"}},
		{"a module", []Metadata{module, image("a")}, []string{"a", "m"}},
		{"a cycle ends", []Metadata{image("a", "b"), image("b", "a")}, []string{"b", "a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, m := range InOrder(tc.images) {
				got = append(got, m.Name)
			}
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
}

func TestNeeding(t *testing.T) {
	m := Metadata{Extensions: []Extension{{Name: "a", Requires: []string{"b"}}, {Name: "b", Requires: []string{"citus"}}, {Name: "c"}}}
	for _, tc := range []struct {
		name string
		r    Requirement
		want []string
	}{
		{"through another", Requirement{Extension: "citus"}, []string{"a", "b"}},
		{"no extension", Requirement{Extension: "x"}, nil},
		{"a module", Requirement{Module: "x"}, []string{"a", "b", "c"}},
	} {
		if diff := cmp.Diff(m.Needing(tc.r), tc.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", tc.name, diff)
		}
	}
}

func TestSatisfies(t *testing.T) {
	m := Metadata{Extensions: []Extension{{Name: "postgis"}}, Modules: []string{"postgis-3", "age"}}
	for _, tt := range []struct {
		r    Requirement
		want bool
	}{
		{Requirement{Extension: "postgis"}, true},
		{Requirement{Extension: "postgis", Package: "elsewhere", Image: "other"}, true},
		{Requirement{Extension: "postgis-3"}, false},
		{Requirement{Module: "age"}, true},
		{Requirement{Module: "postgis"}, false},
	} {
		if got := m.Satisfies(tt.r); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.r, got, tt.want)
		}
	}
}
