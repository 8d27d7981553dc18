package pgtest

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/regress"
)

func TestParameters(t *testing.T) {
	got := parameters(`# comment
shared_preload_libraries = 'a, "b"'	# why
 Work_Mem 4MB
cron.database_name='it''s'
path = 'a\\b'
log_line_prefix = ''
nonsense
`)
	want := []parameter{
		{"shared_preload_libraries", `a, "b"`}, {"work_mem", "4MB"}, {"cron.database_name", "it's"}, {"path", `a\b`}, {"log_line_prefix", ""},
	}
	if diff := cmp.Diff(got, want, cmp.AllowUnexported(parameter{})); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(splitList(got[0].value), []string{"a", "b"}); diff != "" {
		t.Errorf("list (-got +want):\n%s", diff)
	}
}

// TestSetup: the statements equal those of create_database and create_role.
func TestSetup(t *testing.T) {
	b := batch{Invocation: regress.Invocation{
		Databases: []string{"one", "two"}, Extensions: []string{"x"}, Roles: []string{"reader", "owner"}, User: "owner", Encoding: "UTF8", NoLocale: true,
	}}
	var names []string
	var sql string
	for _, s := range b.setup() {
		names = append(names, s.name)
		sql += s.sql
	}
	want := []string{"creating the user", "creating the database one", "creating the database two", "creating the role reader"}
	if diff := cmp.Diff(names, want); diff != "" {
		t.Errorf("steps (-got +want):\n%s", diff)
	}
	for _, want := range []string{
		"DROP DATABASE IF EXISTS \"one\";\n", `CREATE DATABASE "one" TEMPLATE=template0 ENCODING='UTF8' LOCALE='C';`, `ALTER DATABASE "two" SET lc_messages TO 'C';`,
		"\\connect \"two\"\nCREATE EXTENSION IF NOT EXISTS \"x\";", `'CREATE ROLE "reader" WITH LOGIN' WHERE NOT EXISTS`, `GRANT ALL ON DATABASE "two" TO "reader";`,
	} {
		if !strings.Contains(sql, want) {
			t.Errorf("%s is not in\n%s", want, sql)
		}
	}
}

func TestConfigure(t *testing.T) {
	m := metadata.Metadata{Name: "x", SharedPreloadLibraries: []string{"x"}}
	r := &regression{
		run:   &run{in: Input{Postgres: 18, Version: "18.6", Image: Image{Metadata: m}}, server: &server{}},
		suite: regress.Suite{Configs: []string{"x.conf"}},
	}
	conf := "shared_preload_libraries = 'more, x'\nwork_mem = 1MB\nport = 1\n"
	if err := r.configure(fstest.MapFS{"x.conf": {Data: []byte(conf)}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"shared_preload_libraries=x,more", "work_mem=1MB", "log_line_prefix=%m [%p] "} {
		if !slices.Contains(r.server.args, want) {
			t.Errorf("%q is not among %q", want, r.server.args)
		}
	}
	if diff := cmp.Diff(r.suite.Notes, []string{"x.conf: port is ignored"}); diff != "" {
		t.Errorf("notes (-got +want):\n%s", diff)
	}
}

func TestOtherVersion(t *testing.T) {
	m := metadata.Metadata{Extensions: []metadata.Extension{{Name: "a", Version: "1.1"}, {Name: "b", Version: "2"}}}
	for _, tc := range []struct{ name, control, want string }{
		{"the same", "default_version = '1.1'\n", ""},
		{"another", "comment = 'x'\ndefault_version='1.0'\n", "the source tree has a 1.0, the image has 1.1"},
		{"filled in by a rule", "default_version = '@VERSION@'\n", ""},
		{"none", "", ""},
	} {
		if got := otherVersion(fstest.MapFS{"a.control": {Data: []byte(tc.control)}}, m); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestDiffers(t *testing.T) {
	diff := "--- expected/a.out\n+++ results/a.out\n@@ -1,3 +1,4 @@\n same\n-one\n+two\n+three\n"
	got := differs("expected/a.out", diff).Error()
	want := "differs from expected/a.out: 1 lines are missing, 2 unexpected\n@@ -1,3 +1,4 @@\n same\n-one\n+two\n+three"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	long := differs("x", diff+strings.Repeat("+more\n", 100)).Error()
	if lines := strings.Split(long, "\n"); len(lines) != headLines || lines[len(lines)-1] != "…" || !strings.HasSuffix(lines[0], "102 unexpected") {
		t.Errorf("%d lines:\n%s", len(lines), long)
	}
}

func TestDiffsAreBounded(t *testing.T) {
	var out bytes.Buffer
	l := &limited{to: &out, left: 5}
	for range 3 {
		if n, err := l.Write([]byte("abc")); n != 3 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	}
	if got, want := out.String(), "abcab"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var d diffs
	d.add(strings.Repeat("x", maxDiffs))
	d.add("y")
	if d.Len() != maxDiffs {
		t.Errorf("%d bytes are kept", d.Len())
	}
}

func TestWriteTree(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"sql/a.sql": "SELECT 1;\n", ".git/config": "x", "run.sh": "#!/bin/sh\n"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o500); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var out bytes.Buffer
	if err := writeTree(&out, root, []byte("pg_config")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %o %d %s", h.Name, h.Mode, h.Size, h.Linkname))
	}
	want := []string{
		"helpers/pg_config 755 9 ", "regress 755 0 ", "regress/link 777 0 /etc/passwd", "regress/run.sh 700 10 ", "regress/sql 755 0 ", "regress/sql/a.sql 700 10 ",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestCrashes(t *testing.T) {
	log := `2026-11-22 01:50:21.877 UTC [40] ERROR:  script was terminated by signal 15
2026-11-22 01:50:22 UTC [1] LOG:  client backend (PID 7) was terminated by signal 11: Segmentation fault
2026-11-22 01:50:22 UTC [1] DETAIL:  Failed process was running: SELECT 1;
2026-11-22 01:50:23 UTC [9] PANIC:  could not write
`
	want := []string{"client backend (PID 7) was terminated by signal 11: Segmentation fault", "PANIC: could not write"}
	if diff := cmp.Diff(crashLines(log), want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// TestHas: has finds programs at Debian's paths, and counts links like Missing.
func TestHas(t *testing.T) {
	root := t.TempDir()
	for name, make := range map[string]func(string) error{
		"usr/lib/postgresql/18/bin/psql":                                    func(at string) error { return os.Symlink("../../../../share/wrapper", at) },
		"usr/lib/postgresql/18/lib/pgxs/src/test/isolation/isolationtester": func(at string) error { return os.WriteFile(at, nil, 0o755) },
		"usr/lib/postgresql/19/bin/psql":                                    func(at string) error { return os.Mkdir(at, 0o755) },
		"usr/lib/postgresql/19/lib/pgxs/src/test/isolation/isolationtester": func(at string) error { return os.WriteFile(at, nil, 0o644) },
	} {
		at := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), make(at)); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range []kind{sqlKind, isolationKind} {
		for major, want := range map[int]bool{17: false, 18: true, 19: false} {
			r := regression{run: &run{in: Input{Root: root, Postgres: major}}}
			if got := r.has(batch{kind: k}); got != want {
				t.Errorf("PostgreSQL %d: has(%s) = %v", major, k.program, got)
			}
		}
	}
}
