package cnpg

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// errorText returns the message of err, "" for nil.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestCheckName(t *testing.T) {
	long := strings.Repeat("a", MaxName)
	for _, tc := range []struct{ name, want string }{
		{"postgis", ""},
		{"3", ""},
		{"a_-b9", ""},
		{long, ""},
		{long + "a", `"` + long + `a" is longer than 59 characters`},
		{"", "is empty"},
		{"-a", `"-a" does not match ^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$`},
		{"a_", `"a_" does not match ^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$`},
		{"PostGIS", `"PostGIS" does not match ^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$`},
		{"a.b", `"a.b" does not match ^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$`},
		{"a\n", `"a\n" does not match ^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$`},
	} {
		if got := errorText(CheckName(tc.name)); got != tc.want {
			t.Errorf("CheckName(%q) = %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestVolume(t *testing.T) {
	if got := Volume("pg_ivm_x"); got != "ext-pg-ivm-x" {
		t.Errorf("Volume() = %s", got)
	}
	if got := len(Volume(strings.Repeat("a", MaxName))); got != 63 {
		t.Errorf("the longest name of a volume has %d characters, want 63", got)
	}
}

func TestNormalizePath(t *testing.T) {
	for _, tc := range []struct{ path, want, refused string }{
		{"lib", "lib", ""},
		{"/lib", "lib", ""},
		{"./lib//x/", "lib/x", ""},
		{"lib/..x", "lib/..x", ""},
		{"", "", "is empty"},
		{"../lib", "", `"../lib" leaves the image`},
		{"a/../../b", "", `"a/../../b" leaves the image`},
		{"a/../b", "", `"a/../b" leaves the image`},
		{"..lib", "", `"..lib" starts with two dots, which CloudNativePG refuses`},
		{"./...", "", `"./..." starts with two dots, which CloudNativePG refuses`},
		{".", "", `"." is the image's root`},
		{"/", "", `"/" is the image's root`},
		{"a:b", "", `"a:b" contains a character that separates or quotes entries of a path list`},
		{"a,b", "", `"a,b" contains a character that separates or quotes entries of a path list`},
		{"a'b", "", `"a'b" contains a character that separates or quotes entries of a path list`},
		{"a\nb", "", `"a\nb" contains a character that separates or quotes entries of a path list`},
	} {
		got, err := NormalizePath(tc.path)
		if got != tc.want || errorText(err) != tc.refused {
			t.Errorf("NormalizePath(%q) = %q, %v, want %q, %s", tc.path, got, err, tc.want, tc.refused)
		}
	}
}

func TestMounted(t *testing.T) {
	for _, tc := range []struct{ path, want string }{
		{"share", "/extensions/x/share"},
		{"/share", "/extensions/x/share"},
		{"./share//a/", "/extensions/x/share/a"},
	} {
		if got := Mounted("x", tc.path); got != tc.want {
			t.Errorf("Mounted(%q) = %s, want %s", tc.path, got, tc.want)
		}
	}
}

func TestCheckEnvName(t *testing.T) {
	for _, name := range []string{"PROJ_DATA", "_x", "a1", "P", "NAMESPACES", "path", "Ld_Library_Path"} {
		if err := CheckEnvName(name); err != nil {
			t.Errorf("CheckEnvName(%s) = %v", name, err)
		}
	}
	for _, name := range []string{"PG", "PGDATA", "pgdata", "Pgx", "CNPG_", "cnpg_x", "POD_NAME", "pod_name", "Namespace", "CLUSTER_NAME", "PATH", "LD_LIBRARY_PATH"} {
		want := "CloudNativePG refuses " + name + ": it reserves PG*, CNPG_*, POD_NAME, NAMESPACE, CLUSTER_NAME, PATH, LD_LIBRARY_PATH"
		if got := errorText(CheckEnvName(name)); got != want {
			t.Errorf("CheckEnvName(%s) = %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"", "1X", "A B", "A=B", "A\n", "Ä"} {
		if err := CheckEnvName(name); err == nil || !strings.Contains(err.Error(), "is not the name of an environment variable") {
			t.Errorf("CheckEnvName(%q) = %v", name, err)
		}
	}
}

// TestEnvValue tests runs of dollar signs before a brace: two stand for a literal
// one, and an odd number starts a placeholder.
func TestEnvValue(t *testing.T) {
	unknown := func(name string) string {
		return "contains the unknown placeholder ${" + name + "}: CloudNativePG supports only ${image_root}; write $${ for a literal ${"
	}
	const open = "contains an unterminated placeholder: ${ without }"
	for _, tc := range []struct{ value, want, refused string }{
		{"x", "x", ""},
		{"${image_root}/share/proj", "/m/share/proj", ""},
		{"${image_root}:${image_root}", "/m:/m", ""},
		{"$${image_root}", "${image_root}", ""},
		{"$$${image_root}", "$/m", ""},
		{"$$$${image_root}", "$${image_root}", ""},
		{"$image_root $$ $x} {image_root}", "$image_root $$ $x} {image_root}", ""},
		{"$${x}", "${x}", ""},
		{"${x}", "${x}", unknown("x")},
		{"$$${HOME}", "$$${HOME}", unknown("HOME")},
		{"${ image_root}", "${ image_root}", unknown(" image_root")},
		{"${image_root}${x}", "/m${x}", unknown("x")},
		{"${a${image_root}", "${a${image_root}", unknown("a${image_root")},
		{"${image_root", "${image_root", open},
		{"${}", "${}", open},
		{"$${", "$${", open},
		{"", "", "is empty"},
		{"a\x00", "a\x00", "contains a NUL"},
	} {
		if got := errorText(CheckEnvValue(tc.value)); got != tc.refused {
			t.Errorf("CheckEnvValue(%q) = %s, want %s", tc.value, got, tc.refused)
		}
		if got := Expand(tc.value, "/m"); got != tc.want {
			t.Errorf("Expand(%q) = %s, want %s", tc.value, got, tc.want)
		}
	}
	if got := UnknownPlaceholder("$${a} ${image_root} ${imageroot}"); got != "imageroot" {
		t.Errorf("UnknownPlaceholder() = %q", got)
	}
}

func TestCheckParameter(t *testing.T) {
	for _, name := range []string{"work_mem", "a.b", "_a.B$1", "port"} {
		if err := CheckParameter(name); err != nil {
			t.Errorf("CheckParameter(%s) = %v", name, err)
		}
	}
	for _, name := range []string{"", "a b", "a.", ".a", "a.b.c", "1a", "a.1", "a-b", "a=b", "a\n", "a\narchive_command = 'x'"} {
		if CheckParameter(name) == nil {
			t.Errorf("CheckParameter(%q) = nil", name)
		}
	}
}

func TestFixed(t *testing.T) {
	if !slices.IsSorted(fixed) {
		t.Error("the table must be sorted for the binary search")
	}
	for _, name := range fixed {
		if !Fixed(name) || CheckParameter(name) != nil {
			t.Errorf("Fixed(%s) = false, or not a valid name", name)
		}
	}
	if Fixed("work_mem") || Fixed("pgaudit.log") {
		t.Error("Fixed() = true for a parameter that a cluster may set")
	}
}

// TestManaged checks that the parameter of a library makes the operator preload
// it, and that a cluster may set it.
func TestManaged(t *testing.T) {
	for _, library := range []string{"pgaudit", "pg_stat_statements", "auto_explain", "pg_failover_slots"} {
		name, value, ok := Managed(library)
		if got := Preloaded(map[string]string{name: value}); !ok || Fixed(name) || !slices.Equal(got, []string{library}) {
			t.Errorf("Managed(%s) = %s, %s, %v, which preloads %q", library, name, value, ok, got)
		}
	}
	if _, _, ok := Managed("timescaledb"); ok {
		t.Error("Managed(timescaledb)")
	}
	got := Preloaded(map[string]string{"auto_explain.a": "", "auto_explain.b": "", "pgaudit.log": "", "pgauditx.log": "", "pg_stat_statements": ""})
	if diff := cmp.Diff(got, []string{"pgaudit", "auto_explain"}); diff != "" {
		t.Errorf("Preloaded() (-got +want):\n%s", diff)
	}
}
