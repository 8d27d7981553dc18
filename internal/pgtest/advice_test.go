package pgtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/metadata"
)

func TestDiagnose(t *testing.T) {
	in := Input{Postgres: 18, Image: Image{Metadata: metadata.Metadata{
		Name: "x", Extensions: []metadata.Extension{{Name: "cron", Version: "1"}}, Modules: []string{"pg_cron", "cron"}, Arch: "amd64",
		ExtensionControlPath: []string{"share"},
	}, Dir: damagedImage(t)}}
	for _, tc := range []struct {
		name, detail, log string
		advice            []Advice
		preload           []string
	}{
		{"nothing known", "division by zero", "", nil, nil},
		{"preload by name", "pg_cron can only be loaded via shared_preload_libraries\nHINT:  Add pg_cron to it.", "", nil, []string{"pg_cron"}},
		{"a module in the context", "pg_cron must be preloaded\nCONTEXT:  CREATE FUNCTION x AS 'cron'", "", nil, []string{"pg_cron"}},
		{"preload without a name", "it must be preloaded", "", nil, []string{"cron"}},
		{"the operand's module first", "pg_stat_statements must be loaded via \"shared_preload_libraries\" before pg_cron", "", nil, []string{"pg_stat_statements", "pg_cron"}},
		{"a crash", "server closed the connection unexpectedly", "@postmaster||00000|| LOG:  client backend (PID 1) was terminated by signal 11", nil, []string{"cron"}},
		{
			"library", `could not load library "/extensions/x/lib/x.so": libblas.so.3: cannot open shared object file: No such file or directory`, "",
			[]Advice{{"x.so needs the library libblas.so.3, which neither the image nor the operand has", "bundle: {libraries: [libblas.so.3]}", Change{Libraries: []string{"libblas.so.3"}}}},
			nil,
		},
		{
			"library opened at run time", "failed to load the query: \nlibmysqlclient.so: cannot open shared object file: No such file or directory", "",
			[]Advice{{"the library libmysqlclient.so is opened at run time, and neither the image nor the operand has it", "bundle: {libraries: [libmysqlclient.so]}", Change{Libraries: []string{"libmysqlclient.so"}}}},
			nil,
		},
		{"too late for a parameter", "cannot create PGC_POSTMASTER variables after startup", "", nil, []string{"cron"}},
		{"an undefined parameter", `unrecognized configuration parameter "cron.database_name"`, "", nil, []string{"cron"}},
		{
			"symbol", `could not load library "/extensions/x/lib/x.so": /extensions/x/lib/x.so: undefined symbol: foo`, "",
			[]Advice{{"x.so was built for other libraries than it finds: undefined symbol: foo", "", Change{}}},
			nil,
		},
		{
			"major", "incompatible library \"/extensions/x/lib/x.so\": version mismatch\nDETAIL:  Server is version 18, library is version 17.", "",
			[]Advice{{"x.so was built for another PostgreSQL than 18", "", Change{}}},
			nil,
		},
		{
			"extension", `required extension "citus" is not installed`, "",
			[]Advice{{"the extension citus is in no image that was mounted", "requires: [citus]", Change{Requires: []string{"citus"}}}},
			nil,
		},
		{"its own extension", `extension "cron" is not available`, "", nil, nil},
		{
			"module", `could not access file "$libdir/postgis-3": No such file or directory`, "",
			[]Advice{{"the module postgis-3 is in no image that was mounted", `requires: ["module:postgis-3"]`, Change{Requires: []string{"module:postgis-3"}}}},
			nil,
		},
		{
			"absolute path", `could not open file "/usr/share/postgresql/18/extension/unit.data" for reading`, "", nil, nil,
		},
		{
			"absolute path and why", `could not open file "/usr/share/x": No such file or directory`, "",
			[]Advice{{"the absolute path /usr/share/x does not exist in the operand; a file of the image is elsewhere", "", Change{}}},
			nil,
		},
		{
			"mode", `could not open extension control file "/extensions/x/share/extension/cron.control": Permission denied`, "",
			[]Advice{{"/extensions/x/share/extension/cron.control is not readable for all users: files of an image need mode 0644, folders 0755", "", Change{}}},
			nil,
		},
		{
			"its own module", `could not access file "cron": No such file or directory`, "",
			[]Advice{{"the image lacks lib/cron.so, a module that its label names", "", Change{}}},
			nil,
		},
		{
			"a damaged library", `could not load library "/extensions/x/lib/cron.so": /extensions/x/system/half.so: file too short`, "",
			[]Advice{{"/extensions/x/system/half.so is damaged: malformed ELF file: header: truncated at 4 bytes", "", Change{}}},
			nil,
		},
		{
			"no library at all", `could not load library "/extensions/x/lib/text.so": /extensions/x/lib/text.so: invalid ELF header`, "",
			[]Advice{{"/extensions/x/lib/text.so is not an ELF file", "", Change{}}},
			nil,
		},
		{
			"a control file", `syntax error in file "/extensions/x/share/extension/cron.control" line 2, near token "x"`, "",
			[]Advice{{"PostgreSQL cannot read line 2 of the control file /extensions/x/share/extension/cron.control", "", Change{}}},
			nil,
		},
		{
			"no script", "cron is not among pg_available_extensions with an install script", "",
			[]Advice{{"the image has no script that installs version 1 of cron, such as cron--1.sql", "", Change{}}},
			nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &run{in: in}
			r.diagnose(tc.detail, tc.log)
			if diff := cmp.Diff(r.advice, tc.advice); diff != "" {
				t.Errorf("advice (-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(r.preload, tc.preload); diff != "" {
				t.Errorf("preload (-got +want):\n%s", diff)
			}
		})
	}
}

// damagedImage returns a folder with damaged files.
func damagedImage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"lib/text.so": "text", "system/half.so": "\x7fELF", "share/extension/cron.control": "x = 1\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPreloadAdvice(t *testing.T) {
	second := Result{Checks: []Check{{Status: Pass}, {Status: Fail}}}
	got := preloadAdvice(Input{Preload: []string{"pg_stat_statements", "a", "b"}}, second)
	want := []Advice{
		{"pg_stat_statements must be preloaded; with it 1 checks pass and 1 fail", `parameters: {pg_stat_statements.track: "top"}`, Change{Preload: []string{"pg_stat_statements"}}},
		{"a, b must be preloaded; with it 1 checks pass and 1 fail", "shared_preload_libraries: [a, b]", Change{Preload: []string{"a", "b"}}},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestNoteOptional(t *testing.T) {
	first := Result{Checks: []Check{{Name: "create main", Status: Fail}, {Name: "create extra", Status: Fail}, {Name: "create other", Status: Fail}, {Name: "create together", Status: Fail}}}
	best := Result{Checks: []Check{{Name: "create main", Status: Pass}, {Name: "create extra", Status: Pass}, {Name: "create other", Status: Fail}, {Name: "create together", Status: Pass}}}
	noteOptional(&first, best, metadata.Metadata{Create: []string{"main"}}, []string{"lib"})
	want := []Check{
		{Name: "create main", Status: Fail},
		{Name: "create extra", Status: Note, Detail: "manifests do not create it; works with lib preloaded"},
		{Name: "create other", Status: Fail},
		{Name: "create together", Status: Fail},
	}
	if diff := cmp.Diff(first.Checks, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}
