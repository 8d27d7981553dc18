package metadata

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/failure"
)

// postgis returns the example from the description of the format.
func postgis() Metadata {
	return Metadata{
		Name: "postgis", Image: "postgis-extension", Version: "3.6.4", Distro: "forky", Postgres: 18, Arch: "amd64",
		Base:       Base{Name: "cnpg-minimal", Postgres: "18.6"},
		Extensions: []Extension{{Name: "postgis", Version: "3.6.4"}},
		Create:     []string{"postgis"}, Modules: []string{"postgis-3", "postgis_topology-3"},
		ExtensionControlPath: []string{"share"}, DynamicLibraryPath: []string{"lib"}, LDLibraryPath: []string{"system"},
		Env: []EnvVar{{Name: "PROJ_DATA", Value: "${image_root}/share/proj"}},
	}
}

const postgisJSON = `{"schema":1,"name":"postgis","image":"postgis-extension","version":"3.6.4","distro":"forky","postgres":18,"arch":"amd64",` +
	`"base":{"name":"cnpg-minimal","postgres":"18.6"},` +
	`"extensions":[{"name":"postgis","version":"3.6.4","requires":[],"relocatable":false,"trusted":false,"schema":""}],` +
	`"create":["postgis"],"modules":["postgis-3","postgis_topology-3"],` +
	`"requires":[],` +
	`"extension_control_path":["share"],"dynamic_library_path":["lib"],"ld_library_path":["system"],"bin_path":[],` +
	`"env":[{"name":"PROJ_DATA","value":"${image_root}/share/proj"}],` +
	`"shared_preload_libraries":[],"parameters":{},"output_plugins":[],"mount":""}`

func TestEncode(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(*Metadata)
		want string
	}{
		{"as published", func(*Metadata) {}, postgisJSON},
		{"parameters sorted, no HTML escapes", func(m *Metadata) {
			m.Parameters = map[string]string{"b": "<1>", "a": "&"}
		}, strings.Replace(postgisJSON, `"parameters":{}`, `"parameters":{"a":"&","b":"<1>"}`, 1)},
		{"empty fields of a requirement are omitted", func(m *Metadata) {
			m.Requires = []Requirement{{Extension: "postgis", Image: "postgis"}, {Module: "pg_cron"}}
		}, strings.Replace(postgisJSON, `"requires":[],"extension_control`, `"requires":[{"extension":"postgis","image":"postgis"},{"module":"pg_cron"}],"extension_control`, 1)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := postgis()
			tc.edit(&m)
			got, err := m.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(got), tc.want); diff != "" {
				t.Errorf("Encode() (-got +want):\n%s", diff)
			}
			back, err := Decode(got)
			if err != nil {
				t.Fatal(err)
			}
			again, err := back.Encode()
			if err != nil || string(again) != string(got) {
				t.Errorf("Encode(Decode(x)) = %s, %v; want %s", again, err, got)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	t.Run("unknown keys are ignored", func(t *testing.T) {
		m, err := Decode([]byte(`{"schema":1,"name":"x","later":{"a":1}}`))
		if err != nil || m.Name != "x" || m.Create == nil {
			t.Errorf("Decode() = %+v, %v", m, err)
		}
	})
	for _, tc := range []struct{ name, data, want, hint string }{
		{"newer schema", `{"schema":2,"create":"changed"}`, "decoding io.pgext.metadata: unsupported schema 2 (this pgext supports schema 1)", "upgrade pgext"},
		{"no schema", `{}`, "decoding io.pgext.metadata: unsupported schema 0 (this pgext supports schema 1)", "check the image: pgext did not build it, or the label was changed"},
		{"not JSON", `x`, "decoding io.pgext.metadata: invalid character 'x' looking for beginning of value", ""},
		{"a list", `[]`, "decoding io.pgext.metadata: want an object, got array", ""},
		{"a text for a list", `{"schema":1,"create":"x"}`, "decoding io.pgext.metadata: create: want []string, got string", ""},
		{"a text for a number", `{"schema":"1"}`, "decoding io.pgext.metadata: schema: want int, got string", ""},
		{"too large", strings.Repeat(" ", maxEncoded+1), "decoding io.pgext.metadata: 1048577 bytes, more than 1048576", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Decode([]byte(tc.data))
			if err == nil || err.Error() != tc.want {
				t.Fatalf("Decode() error = %v, want %s", err, tc.want)
			}
			var f *failure.Error
			if errors.As(err, &f) != (tc.hint != "") || tc.hint != "" && f.Hint() != tc.hint {
				t.Errorf("hint of %v is not %q", err, tc.hint)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(postgisJSON))
	f.Add([]byte(`{"schema":1,"env":[{}],"parameters":{"a":""}}`))
	f.Add([]byte(`{"schema":1,"extensions":[null],"create":[".."]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data)
		if err != nil {
			return
		}
		_ = m.Validate()
		encoded, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(encoded); err != nil && len(encoded) <= maxEncoded {
			t.Errorf("Decode(Encode(Decode(%q))): %v", data, err)
		}
	})
}

func TestUnmet(t *testing.T) {
	extensions := []Extension{
		{Name: "postgis_topology", Requires: []string{"vector", "postgis", "plpgsql"}},
		{Name: "postgis", Requires: []string{"cube"}},
		{Name: "other", Requires: []string{"vector"}},
	}
	for _, tt := range []struct {
		name string
		of   []Extension
		want []string
	}{
		{"nothing of nothing", nil, nil},
		{"its own and the language of every database are met", extensions[:2], []string{"cube", "vector"}},
		{"each once", extensions, []string{"cube", "vector"}},
		{"the other half is not there", extensions[:1], []string{"postgis", "vector"}},
	} {
		if got := Unmet(tt.of); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
