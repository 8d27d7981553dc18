package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stuck are scripts that do not end.
var stuck = map[string]string{
	// what the next session needs
	"the catalog": "BEGIN; LOCK TABLE pg_authid; SELECT pg_sleep(1000);\n",
	// as a module's loop that looks for no interrupts; its session cannot be ended
	"a stopped process": "SELECT pg_backend_pid() AS pid \\gset\n\\setenv PID :pid\n\\! kill -STOP $PID\nSELECT 1;\n",
}

// TestLiveStuck: a script that does not end is stopped, on the server too, and
// the checks behind it do not suffer.
func TestLiveStuck(t *testing.T) {
	t.Parallel()
	for name, sql := range stuck {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recipe := liveRecipe(t, "pgvector", "test: {sql: test.sql}\n")
			if err := os.WriteFile(filepath.Join(filepath.Dir(recipe), "test.sql"), []byte(sql), 0o644); err != nil {
				t.Fatal(err)
			}
			code, stdout, stderr := live(t, "test", recipe, "--output", t.TempDir(), "--json", "--timeout", "1s")
			var doc testDocument
			if err := json.Unmarshal([]byte(stdout), &doc); err != nil || code != exitFindings {
				t.Fatalf("exit code %d, %v\n%s", code, err, stderr)
			}
			var got []string
			for _, c := range doc.Images[0].Checks {
				if c.Status != "pass" {
					got = append(got, string(c.Status)+" "+c.Name+": "+c.Detail)
				}
			}
			if diff := cmp.Diff(got, []string{"fail test.sql: psql timed out after 1s"}); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
			if a := doc.Images[0].Advice; len(a) != 1 || !strings.HasPrefix(a[0].Text, "--timeout sets the limit") {
				t.Errorf("advice: %+v", a)
			}
		})
	}
}

// TestLiveStuckRegression: the same of a regression suite.
func TestLiveStuckRegression(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{
		"Makefile":           "REGRESS = free after stopped again\n",
		"sql/free.sql":       "CREATE TABLE t (i int);\nBEGIN;\nLOCK TABLE t;\nSELECT pg_sleep(1000);\n",
		"sql/after.sql":      "DROP TABLE t;\nSELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(%' AND pid <> pg_backend_pid();\n",
		"expected/after.out": "DROP TABLE t;\nSELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(%' AND pid <> pg_backend_pid();\n count \n-------\n     0\n(1 row)\n\n",
		"sql/stopped.sql":    stuck["a stopped process"],
		"sql/again.sql":      "SELECT 1 AS one;\n",
		"expected/again.out": "SELECT 1 AS one;\n one \n-----\n   1\n(1 row)\n\n",
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := live(t, "test", liveRecipe(t, "pgvector", ""), "--output", t.TempDir(), "--regress", dir, "--timeout", "1s", "-v")
	if code != exitFindings {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, want := range []string{"fail regress free (", "pass regress after (", "fail regress stopped (", "pass regress again (", "pass regress log ("} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is not in\n%s", want, stderr)
		}
	}
	if !strings.Contains(stdout, "fail regress free: psql timed out after 1s") {
		t.Errorf("got\n%s", stdout)
	}
}

// TestLiveParameters: what a recipe sets wrong is told as what it is.
func TestLiveParameters(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		recipe string
		code   int
		want   []string
	}{
		"a silent server":        {"parameters: {log_min_messages: panic}\n", 0, []string{"7 of 7 checks pass"}},
		"sessions do not begin":  {"parameters: {session_preload_libraries: nothere}\n", exitFindings, []string{"\n  fail create vector: could not access file \"nothere\": No such file or directory\n"}},
		"a library of no image":  {"shared_preload_libraries: [pgvector]\n", exitFindings, []string{"hint: shared_preload_libraries names pgvector, which no mounted image has; this one has [\"vector\"]\n"}},
		"a value that cannot be": {"parameters: {max_connections: \"1\"}\n", exitFindings, []string{"fail start: the server does not start\n", "\"max_connections\" (1)\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := live(t, "test", liveRecipe(t, "pgvector", tc.recipe), "--output", t.TempDir())
			if code != tc.code {
				t.Errorf("exit code %d, want %d\n%s%s", code, tc.code, stdout, stderr)
			}
			for _, want := range tc.want {
				if !strings.Contains(stdout, want) {
					t.Errorf("%q is not in\n%s", want, stdout)
				}
			}
		})
	}
}
