package layout

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/metadata"
)

// TestAnalyze checks the findings about text that Arrange would rewrite.
func TestAnalyze(t *testing.T) {
	files := map[string]string{
		"lib/x.so":     "machine code",
		"lib/alone.so": "machine code",
		"share/extension/x.control": "default_version = '1.1'\nmodule_pathname = '$libdir/x'\n" +
			"requires = 'cube'\ntrusted = true\n",
		"share/extension/x--1.0.sql":         "CREATE FUNCTION f() RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C;\n",
		"share/extension/x--1.0--1.1.sql":    "LOAD '$libdir/x';\nDO $$ BEGIN EXECUTE 'load ''$libdir/x'''; END $$;\n",
		"share/extension/nested.control":     "default_version = '1'\nmodule_pathname = '$libdir/sub/x'\n",
		"share/extension/nested--1.sql":      "COPY t FROM '/usr/share/postgresql/18/extension/x.control';\n",
		"share/extension/scriptless.control": "default_version = '2'\n",
	}
	var entries []filetree.Entry
	for path, text := range files {
		entries = append(entries, filetree.Entry{Path: path, Mode: 0o644}.Holding([]byte(text)))
	}
	tree, err := filetree.New(entries)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Analyze(tree, 18)
	if err != nil {
		t.Fatal(err)
	}
	var findings []string
	for _, f := range got.Findings {
		findings = append(findings, f.String())
	}
	want := []string{
		"PGX023 warning: share/extension/nested.control: line 2: refers to the module $libdir/sub/x, which PostgreSQL searches in its own library directory only",
		"PGX023 warning: share/extension/x--1.0--1.1.sql: 2 × LOAD '$libdir/…', which PostgreSQL searches in its own library directory only",
		"PGX024 warning: share/extension/nested--1.sql: 1 × path of the default location to a file that is at the mount path",
		"PGX031 note: share/extension/scriptless.control: no script in share/extension installs version \"2\" of scriptless",
		"PGX032 note: share/extension/x.control: 1 × $libdir/",
	}
	if diff := cmp.Diff(want, findings); diff != "" {
		t.Errorf("Findings (-want +got):\n%s", diff)
	}
	got.Findings = nil
	wantRest := Contents{
		Extensions: []metadata.Extension{
			{Name: "nested", Version: "1"},
			{Name: "x", Version: "1.1", Requires: []string{"cube"}, Trusted: true},
		},
		Unscripted: []string{"scriptless"},
		Modules:    []string{"alone", "x"},
	}
	if diff := cmp.Diff(wantRest, got); diff != "" {
		t.Errorf("Analyze() (-want +got):\n%s", diff)
	}
}
