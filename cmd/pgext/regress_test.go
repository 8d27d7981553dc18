//go:build regress && linux

package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/testmirror"
)

// The flags of make regress.
var (
	regressOnly   = flag.String("only", "", "only the recipes of these names, separated by spaces")
	regressUpdate = flag.Bool("update", false, "write docs/regress.md")
)

// regressions are the suites of all recipes.
type regressions struct {
	// dir holds recipes, images and source trees for the time of the test.
	dir   string
	index map[string]testmirror.Source
	// older are the source packages of the release before.
	older map[string]testmirror.Source
	mu    sync.Mutex
	rows  map[string]regressRow
}

// regressRow is the result of one recipe.
type regressRow struct {
	image, suite  string
	tests, passed int
	// why are sentences about the tests that did not pass, or the reason for which
	// none ran.
	why []string
}

// TestRegress runs the regression suite of every recipe's source package
// against its image.
func TestRegress(t *testing.T) {
	r := &regressions{dir: t.TempDir(), rows: map[string]regressRow{}}
	r.index, r.older = testmirror.Sources(t, "forky"), testmirror.Sources(t, "trixie")
	if err := os.CopyFS(filepath.Join(r.dir, "recipes"), os.DirFS("../../recipes")); err != nil {
		t.Fatal(err)
	}
	recipes, err := recipe.Load(filepath.Join(r.dir, "recipes"))
	if err != nil {
		t.Fatal(err)
	}
	code, _, stderr := live(t, "build", filepath.Join(r.dir, "recipes"), "--distro", "forky", "--arch", "amd64", "--output", filepath.Join(r.dir, "dist"))
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	t.Run("suites", func(t *testing.T) {
		for _, rec := range recipes {
			if only := strings.Fields(*regressOnly); len(only) > 0 && !slices.Contains(only, rec.Name) {
				continue
			}
			t.Run(rec.Name, func(t *testing.T) {
				t.Parallel()
				row := r.run(t, rec)
				r.mu.Lock()
				defer r.mu.Unlock()
				r.rows[rec.Name] = row
			})
		}
	})
	page := r.page()
	t.Log("\n" + page)
	if !t.Failed() && *regressUpdate {
		if err := os.WriteFile("../../docs/regress.md", []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs the suite of one recipe.
func (r *regressions) run(t *testing.T, rec *recipe.Recipe) regressRow {
	t.Helper()
	if why, ok := apart[rec.Name]; ok {
		return regressRow{why: []string{why}}
	}
	up := upstreams[rec.Name]
	tree, row := r.tree(t, rec)
	if tree == "" {
		return row
	}
	for to, m := range made[rec.Name] {
		m.make(t, tree, to)
	}
	for name, text := range added[rec.Name] {
		if err := os.WriteFile(filepath.Join(tree, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(tree, up.dir)
	args := append([]string{
		"test", filepath.Join(r.dir, "recipes", rec.Name), "--distro", "forky", "--arch", "amd64",
		"--output", filepath.Join(r.dir, "dist"), "--regress", dir, "--json",
	}, up.options...)
	if up.expected != "" {
		args = append(args, "--regress-tests", strings.Join(expectedIn(t, filepath.Join(dir, up.expected)), ","))
	}
	up.copy(t, tree)
	code, stdout, stderr := live(t, args...)
	var doc testDocument
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Images) == 0 {
		if strings.Contains(stderr, "does not set REGRESS") || strings.Contains(stderr, "there is neither a Makefile") {
			row.why = []string{noSuite}
			return row
		}
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	row.image = strings.TrimSuffix(doc.Images[0].Image, "-18-forky")
	row.count(t, rec.Name, doc.Images[0].Checks)
	return row
}

// copy does what a rule of the Makefile would.
func (up upstream) copy(t *testing.T, tree string) {
	t.Helper()
	if up.copies == "" {
		return
	}
	files, err := filepath.Glob(filepath.Join(tree, up.copies))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(filepath.Join(tree, up.to, filepath.Base(f)), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// make writes the file that the rule makes.
func (m rule) make(t *testing.T, tree, to string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(tree, m.from))
	if err == nil {
		text = []byte(strings.NewReplacer(m.replace...).Replace(string(text)))
		err = os.WriteFile(filepath.Join(tree, to), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

const noSuite = "its source has no suite for pg_regress"

// expectedIn are the tests of a folder that have an expected output.
func expectedIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "sql", "*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s: %v", dir, err)
	}
	var names []string
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".sql")
		if _, err := os.Stat(filepath.Join(dir, "expected", name+".out")); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// tree unpacks the source package of a recipe: that of forky, or what the
// mirror still has of it, or an older one.
func (r *regressions) tree(t *testing.T, rec *recipe.Recipe) (string, regressRow) {
	t.Helper()
	targets, err := rec.Select(recipe.Selection{Distros: []string{"forky"}, Postgres: []int{18}, Archs: []string{"amd64"}})
	if err != nil {
		t.Fatal(err)
	}
	wanted := "postgresql-18-" + rec.Name
	if deb := targets[0].Source.Deb; deb != nil {
		wanted = deb.Packages[0]
	}
	wanted = strings.ReplaceAll(wanted, "${pg}", "18")
	dir := filepath.Join(r.dir, "src-"+rec.Name)
	for _, s := range r.index {
		if !slices.Contains(s.Binaries, wanted) {
			continue
		}
		if kind := s.Unpack(t, dir); kind != testmirror.NoTree {
			return dir, regressRow{suite: suiteName(s, kind)}
		}
	}
	for _, s := range r.older {
		if !slices.Contains(s.Binaries, strings.Replace(wanted, "-18-", "-17-", 1)) {
			continue
		}
		if kind := s.Unpack(t, dir); kind != testmirror.NoTree {
			return dir, regressRow{suite: suiteName(s, kind)}
		}
	}
	return "", regressRow{why: []string{noSource}}
}

const noSource = "the mirror does not have its source"

// suiteName is the version of the source tree.
func suiteName(s testmirror.Source, kind testmirror.Tree) string {
	version := s.Version
	if kind == testmirror.Patched {
		return version
	}
	if i := strings.LastIndex(version, "-"); i >= 0 {
		version = version[:i]
	}
	_, rest, epoch := strings.Cut(version, ":")
	if epoch {
		version = rest
	}
	return version
}

// repetition matches the number of a repeated test.
var repetition = regexp.MustCompile(` \(\d+\)$`)

// count counts tests. A failed test without an entry in reasons is an error.
func (row *regressRow) count(t *testing.T, name string, checks []pgtest.Check) {
	t.Helper()
	failed := map[string][]string{}
	for _, c := range checks {
		kind, test, _ := strings.Cut(c.Name, " ")
		ok := kind == "regress" || kind == "isolation"
		test = repetition.ReplaceAllString(test, "")
		switch {
		case !ok && c.Status == pgtest.Fail:
			t.Errorf("%s: %s", c.Name, c.Detail)
		case !ok || test == "suite" && c.Status != pgtest.Fail || test == "log" && c.Status != pgtest.Fail || test == "tap":
		case c.Status == pgtest.Pass:
			row.tests++
			row.passed++
		default:
			row.tests++
			reason, known := reasons[name+" "+test]
			if !known {
				if reason, known = reasons[name]; !known {
					t.Errorf("%s: %s", c.Name, c.Detail)
				}
				test = "the others"
			}
			if !slices.Contains(failed[reason], test) {
				failed[reason] = append(failed[reason], test)
			}
		}
	}
	for reason, tests := range failed {
		row.why = append(row.why, strings.Join(tests, ", ")+": "+reason)
	}
	slices.Sort(row.why)
}

const regressHead = `# Regression suites of the extensions, run against their images

Written by ` + "`make regress UPDATE=1`" + `: for every recipe in recipes/ the image for forky, PostgreSQL 18, amd64 is built, the Debian source package
is unpacked (verified with the SHA256 in apt's Sources index), and ` + "`pgext test RECIPE --regress DIR`" + ` runs the extension's own suite against the
mounted image. *Suite* is the version of the source tree: with a Debian revision it is the whole source package, without one the upstream archive
alone, if the mirror has no more; an older version is from trixie. Tests of pg_isolation_regress are counted too. Additional requirements of a
suite (a file that a rule generates with sed, a tablespace, a parameter) are in cmd/pgext/regress_suites_test.go. Reasons come from the
differences of the output.

%s

| image | suite | tests | pass | what did not pass or run |
|---|---|--:|--:|---|
`

// page is docs/regress.md.
func (r *regressions) page() string {
	var table bytes.Buffer
	var images, whole, tests, passed int
	others := map[string][]string{}
	names := make([]string, 0, len(r.rows))
	for name := range r.rows {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		row := r.rows[name]
		if row.tests == 0 {
			others[row.why[0]] = append(others[row.why[0]], name)
			continue
		}
		images++
		tests += row.tests
		passed += row.passed
		if row.tests == row.passed {
			whole++
		}
		fmt.Fprintf(&table, "| %s | %s | %d | %d | %s |\n", row.image, row.suite, row.tests, row.passed, strings.Join(row.why, "; "))
	}
	total := fmt.Sprintf("**%d suites, %d of them pass completely; %d of %d tests pass.**", images, whole, passed, tests)
	page := fmt.Sprintf(regressHead, total) + table.String() + "\n## Not run\n\n"
	kinds := make([]string, 0, len(others))
	for why := range others {
		kinds = append(kinds, why)
	}
	slices.Sort(kinds)
	for _, why := range kinds {
		page += fmt.Sprintf("- %s: %s\n", strings.ToUpper(why[:1])+why[1:], strings.Join(others[why], ", "))
	}
	return page
}
