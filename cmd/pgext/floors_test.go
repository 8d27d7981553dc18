package main

import (
	"bytes"
	"encoding/json"
	"go/doc"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/pgext/pgext/"

type listed struct {
	ImportPath string
	Name       string
	Doc        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

// goList returns the packages of the module, or of patterns.
func goList(t *testing.T, patterns ...string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Name,Doc,GoFiles,Imports,Deps"}, patterns...)...)
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// packages reads the two tables of docs/architecture.md: the floor of each package, and the
// packages that serve tests only.
func packages(t *testing.T) (floors map[string]int, testOnly []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	floors = map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\d) \| (\S+) \|`).FindAllStringSubmatch(string(page), -1) {
		floors[m[2]], err = strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z/]+/[a-z/]+) \|`).FindAllStringSubmatch(string(page), -1) {
		testOnly = append(testOnly, m[1])
	}
	if len(floors) < 10 || len(testOnly) == 0 {
		t.Fatalf("read %d packages and %d test packages from the tables: their shape changed", len(floors), len(testOnly))
	}
	return floors, testOnly
}

// TestFloors keeps the promise of docs/architecture.md: imports point down,
// never sideways, and every pkg has its row.
func TestFloors(t *testing.T) {
	floors, testOnly := packages(t)
	seen := map[string]bool{}
	for _, p := range goList(t, "./...") {
		pkg := strings.TrimPrefix(p.ImportPath, module)
		seen[pkg] = true
		if slices.Contains(testOnly, pkg) {
			continue
		}
		floor, ok := floors[pkg]
		if !ok {
			t.Errorf("%s has no row in docs/architecture.md", pkg)
			continue
		}
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			if slices.Contains(testOnly, other) {
				t.Errorf("%s imports %s, which serves tests only", pkg, other)
			} else if floors[other] >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d): imports point down", pkg, floor, other, floors[other])
			}
		}
	}
	for pkg := range floors {
		if !seen[pkg] {
			t.Errorf("docs/architecture.md has a row for %s, which does not exist", pkg)
		}
	}
}

// TestPackageComments: every package has a package comment of the form
// "Package x does y", in doc.go or in its only file.
func TestPackageComments(t *testing.T) {
	for _, p := range goList(t, "./...") {
		name := p.ImportPath[strings.LastIndex(p.ImportPath, "/")+1:]
		if first := new(doc.Package).Synopsis(p.Doc); !strings.HasPrefix(first, "Package "+name+" ") && p.Name != "main" || first == "" {
			t.Errorf("%s: package comment starts with %q", p.ImportPath, first)
		}
	}
}

// TestNoHeavyDependencies: the packages that DEPENDENCIES.md says never enter
// the binary, by size, by start-up time or by what they do when imported; and
// those that no package may use, because they are unsafe for hostile input.
// (A model of syft's drags one of them in, unused.)
func TestNoHeavyDependencies(t *testing.T) {
	banned := []string{"cosign/v2/cmd", "hashicorp/go-getter", "k8s.io/", "envoyproxy", "blakesmith/ar", "os/exec/testscript", "syft/pkg/cataloger/debian", "cyclonedxjson"}
	unfit := []string{"ulikunitz/xz", "sylabs/squashfs", "anchore/stereoscope"}
	for _, p := range goList(t, "-deps", "./cmd/pgext") {
		for _, b := range banned {
			if strings.Contains(p.ImportPath, b) {
				t.Errorf("the binary depends on %s", p.ImportPath)
			}
		}
		for _, dep := range p.Imports {
			for _, u := range unfit {
				if strings.HasPrefix(p.ImportPath, module) && strings.Contains(dep, u) {
					t.Errorf("%s imports %s", p.ImportPath, dep)
				}
			}
		}
	}
}
