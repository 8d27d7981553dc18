//go:build corpus && linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pgext/pgext/internal/lock"
)

// The flags of TestGuard.
var (
	guardProgram = flag.String("guard-program", "../../bin/pgext", "program that TestGuard runs")
	guardOnly    = flag.String("guard-only", "", "compare only these recipes, separated by spaces")
	guardRecord  = flag.Bool("guard-record", false, "write testdata/guard instead of comparing with it")
)

const guardDir = "../../testdata/guard"

// TestGuard: the program still computes the closures, layouts, layers and
// configs that testdata/guard recorded for every recipe and architecture.
//
// The images are built from the recorded locks. Fresh locks are compared with
// the recorded ones as long as the archive is still the recorded one.
func TestGuard(t *testing.T) {
	program, err := filepath.Abs(*guardProgram)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	names := guardRecipes(t, filepath.Join(dir, "locked"))
	guardRecipes(t, filepath.Join(dir, "fresh"))
	run := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, append(args, "--allow-expired")...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
		}
	}
	run("build", "fresh", "--distro", "forky", "--output", "dist-fresh")
	if *guardRecord {
		for _, name := range names {
			guardCopy(t, filepath.Join(dir, "fresh", name, "pgext.lock"), filepath.Join(guardDir, "locks", name+".lock"))
		}
	}
	for _, name := range names {
		guardCopy(t, filepath.Join(guardDir, "locks", name+".lock"), filepath.Join(dir, "locked", name, "pgext.lock"))
	}
	run("build", "locked", "--locked", "--distro", "forky", "--output", "dist")
	got := guardLines(t, filepath.Join(dir, "dist"))
	path := filepath.Join(guardDir, "digests.txt")
	if *guardRecord {
		if err := os.WriteFile(path, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(data)), "\n")
	if *guardOnly != "" {
		built, err := filepath.Glob(filepath.Join(dir, "dist", "*"))
		if err != nil {
			t.Fatal(err)
		}
		want = slices.DeleteFunc(want, func(line string) bool {
			image, _, _ := strings.Cut(line, " ")
			return !slices.Contains(built, filepath.Join(dir, "dist", image))
		})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("images differ from those recorded (-recorded +built):\n%s", diff)
	}
	fresh := guardLines(t, filepath.Join(dir, "dist-fresh"))
	moved := 0
	for _, name := range names {
		if !guardSameClosure(t, filepath.Join(guardDir, "locks", name+".lock"), filepath.Join(dir, "fresh", name, "pgext.lock")) {
			moved++
		}
	}
	if diff := cmp.Diff(got, fresh); moved == 0 && diff != "" {
		t.Errorf("images of a fresh build differ from those built from its locks (-locked +fresh):\n%s", diff)
	}
	t.Logf("%d recipes, %d images compared; the archive has moved for %d, whose closures were not compared", len(names), len(got), moved)
}

// guardRecipes copies the recipes into dir and returns their names.
func guardRecipes(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob("../../recipes/*/recipe.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("recipes: %v, %v", paths, err)
	}
	var names []string
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		if only := strings.Fields(*guardOnly); len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		names = append(names, name)
		guardCopy(t, path, filepath.Join(dir, name, "recipe.yaml"))
		if sql := filepath.Join(filepath.Dir(path), "test.sql"); exists(sql) {
			guardCopy(t, sql, filepath.Join(dir, name, "test.sql"))
		}
	}
	return names
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func guardCopy(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// guardSameClosure compares two locks, and returns false if they were made from
// different states of the archive.
func guardSameClosure(t *testing.T, recorded, fresh string) bool {
	t.Helper()
	old, _, err := lock.Load(recorded)
	if err != nil {
		t.Fatal(err)
	}
	now, _, err := lock.Load(fresh)
	if err != nil {
		t.Fatal(err)
	}
	for i, target := range old.Targets {
		if i >= len(now.Targets) || !slices.Equal(target.Archives, now.Targets[i].Archives) {
			return false
		}
	}
	if !bytes.Equal(old.Encode(), now.Encode()) {
		t.Errorf("closure of %s differs from the recorded one:\n%s", recorded, cmp.Diff(string(old.Encode()), string(now.Encode())))
	}
	return true
}

// guardLines returns one line per image and architecture in dist: the digests
// of its layout, its config and its layers.
func guardLines(t *testing.T, dist string) []string {
	t.Helper()
	reports, err := filepath.Glob(filepath.Join(dist, "*", "*.report.json"))
	if err != nil || len(reports) == 0 {
		t.Fatalf("reports in %s: %v, %v", dist, reports, err)
	}
	var lines []string
	for _, path := range reports {
		var report struct {
			Image, Tag, Arch, Digest string
			Packages                 []struct {
				Package string
				Files   []struct{ Path, Action, To string }
			}
		}
		guardRead(t, path, &report)
		var layout strings.Builder
		for _, p := range report.Packages {
			for _, f := range p.Files {
				fmt.Fprintln(&layout, p.Package, f.Path, f.Action, f.To)
			}
		}
		var manifest v1.Manifest
		guardRead(t, filepath.Join(filepath.Dir(path), "oci", "blobs", "sha256", strings.TrimPrefix(report.Digest, "sha256:")), &manifest)
		line := fmt.Sprintf("%s %s %s layout=%s config=%.16s", report.Image, report.Tag, report.Arch, guardSum(layout.String()), manifest.Config.Digest.Hex)
		for _, layer := range manifest.Layers {
			line += fmt.Sprintf(" layer=%.16s", layer.Digest.Hex)
		}
		lines = append(lines, line)
	}
	return lines
}

func guardSum(s string) string {
	h := sha256.New()
	_, _ = io.WriteString(h, s)
	return hex.EncodeToString(h.Sum(nil))[:16]
}

func guardRead(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
