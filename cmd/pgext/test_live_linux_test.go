package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// liveArgs are those of every command of these tests: a cache that outlives
// them, and an archive whose newest Release may be past its date.
func liveArgs(t *testing.T, args ...string) []string {
	t.Helper()
	return append(args, "--allow-expired", "--cache-dir", liveCache(t))
}

// live runs pgext and returns its exit code and output.
func live(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(liveArgs(t, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// liveRecipe writes the recipe of a package of forky.
func liveRecipe(t *testing.T, name, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recipe.yaml")
	text := fmt.Sprintf("name: %s\nsource:\n  deb:\n    packages: [postgresql-18-%s]\ntargets:\n  - {distro: forky, archs: [amd64]}\n%s", name, name, more)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLive tries pgvector out on a real server, with a script of its own.
func TestLive(t *testing.T) {
	recipe, dist := liveRecipe(t, "pgvector", "test: {sql: test.sql}\n"), t.TempDir()
	script := "SELECT '[1,2,3]'::vector <-> '[1,2,4]' AS distance \\gset\n\\if :{?distance} \\else SELECT 1/0; \\endif\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(recipe), "test.sql"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(dist, "junit.xml")
	code, stdout, stderr := live(t, "test", recipe, "--output", dist, "--json", "--junit", report)
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	var doc testDocument
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range doc.Images[0].Checks {
		got = append(got, string(c.Status)+" "+c.Name)
	}
	want := []string{
		"pass start", "pass available", "pass create vector", "pass create together", "pass test.sql",
		"pass restart", "pass drop vector", "pass log",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("checks (-got +want):\n%s", diff)
	}
	if xml, err := os.ReadFile(report); err != nil || !strings.Contains(string(xml), `name="create vector"`) {
		t.Errorf("the JUnit report: %v\n%s", err, xml)
	}

	t.Run("a script that fails", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(filepath.Dir(recipe), "test.sql"), []byte("SELECT 1/0;\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		code, stdout, _ := live(t, "test", recipe, "--output", dist)
		if code != exitFindings || !strings.Contains(stdout, "fail test.sql: division by zero") {
			t.Errorf("exit code %d\n%s", code, stdout)
		}
		_, log, _ := strings.Cut(strings.TrimSpace(stdout), "  log: ")
		if text, err := os.ReadFile(log); err != nil || !strings.Contains(string(text), "division by zero") {
			t.Errorf("the log %q: %v", log, err)
		}
	})
}

// TestLivePreload finds out what a recipe forgot.
func TestLivePreload(t *testing.T) {
	code, stdout, _ := live(t, "test", liveRecipe(t, "cron", ""), "--output", t.TempDir())
	want := "hint: pg_cron must be preloaded; with it all checks pass\n    in the recipe: shared_preload_libraries: [pg_cron]\n"
	if code != exitFindings || !strings.Contains(stdout, want) {
		t.Errorf("exit code %d, %q is not in\n%s", code, want, stdout)
	}
}
