package cnpg

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// said is the text of an error; "" for none.
func said(err error) string {
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
		if got := said(CheckName(tc.name)); got != tc.want {
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
		{"..lib", "", `"..lib" begins with two dots, which CloudNativePG refuses`},
		{"./...", "", `"./..." begins with two dots, which CloudNativePG refuses`},
		{".", "", `"." is the image's root`},
		{"/", "", `"/" is the image's root`},
		{"a:b", "", `"a:b" holds a character that separates or ends a path list`},
		{"a,b", "", `"a,b" holds a character that separates or ends a path list`},
		{"a'b", "", `"a'b" holds a character that separates or ends a path list`},
		{"a\nb", "", `"a\nb" holds a character that separates or ends a path list`},
	} {
		got, err := NormalizePath(tc.path)
		if got != tc.want || said(err) != tc.refused {
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
		if got := said(CheckEnvName(name)); got != want {
			t.Errorf("CheckEnvName(%s) = %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"", "1X", "A B", "A=B", "A\n", "Ä"} {
		if err := CheckEnvName(name); err == nil || !strings.Contains(err.Error(), "is not the name of an environment variable") {
			t.Errorf("CheckEnvName(%q) = %v", name, err)
		}
	}
}

// TestEnvValue goes through what dollars mean before a brace: each two are one,
// and an odd one out begins a placeholder.
func TestEnvValue(t *testing.T) {
	unknown := func(name string) string {
		return "holds ${" + name + "}; CloudNativePG knows only ${image_root}, and $${ is a literal ${"
	}
	const open = "begins a placeholder with ${ and does not end it"
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
		{"a\x00", "a\x00", "holds a NUL"},
	} {
		if got := said(CheckEnvValue(tc.value)); got != tc.refused {
			t.Errorf("CheckEnvValue(%q) = %s, want %s", tc.value, got, tc.refused)
		}
		if got := Expand(tc.value, "/m"); got != tc.want {
			t.Errorf("Expand(%q) = %s, want %s", tc.value, got, tc.want)
		}
	}
	var p *PlaceholderError
	if err := CheckEnvValue("${imageroot}"); !errors.As(err, &p) || p.Name != "imageroot" {
		t.Errorf("CheckEnvValue() = %v, which does not say what the name is", err)
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
		t.Error("the table is not sorted, and is searched as if it were")
	}
	for _, name := range fixed {
		if !Fixed(name) || CheckParameter(name) != nil {
			t.Errorf("%s is not found, or is no parameter", name)
		}
	}
	if Fixed("work_mem") || Fixed("pgaudit.log") {
		t.Error("Fixed() takes a parameter that a cluster may set")
	}
}

// TestManaged: the parameter that is chosen for a library has the operator
// preload it, and a cluster may set it.
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
