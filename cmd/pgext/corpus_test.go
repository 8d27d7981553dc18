//go:build corpus && linux

package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/probe"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
	"github.com/pgext/pgext/layout"
)

// The flags of make corpus.
var (
	corpusDistro   = flag.String("distro", "forky", "distribution")
	corpusPostgres = flag.Int("pg", 18, "PostgreSQL major")
	corpusArchives = flag.String("archives", "", "archives instead of the distribution's own, separated by spaces")
	corpusOnly     = flag.String("only", "", "only the recipes of these names, separated by spaces")
	corpusUpdate   = flag.Bool("update", false, "write docs/corpus.md")
)

// corpus is every extension package of a distribution, for one PostgreSQL
// major.
type corpus struct {
	distro   string
	postgres int
	archives []string
	// dir holds recipes, locks and images for the time of the test.
	dir string
	// release names the archives' state.
	release string
	// mirrors are the roots that were asked, by archive.
	mirrors map[string]archive.Mirror
	// roots are the base's file systems, by architecture.
	roots   map[string]string
	classes []probe.Class
	images  []corpusImage
}

// corpusImage is what became of one recipe.
type corpusImage struct {
	name     string
	built    builder.Image
	metadata metadata.Metadata
	archs    []corpusArch
	recipe   *recipe.Recipe
	lock     []byte
	live     tried
	proven   proven
}

// corpusArch is one architecture of an image.
type corpusArch struct {
	arch string
	// libraries and extension are the sizes of the layers as they are pulled;
	// libraries is 0 where there is none.
	libraries, extension int64
	// bundled counts the files of system and their bytes, data the bytes of
	// the rest of the library layer.
	bundled           int
	bundledSize, data int64
	// needed is true if an ELF file needs a bundled one.
	needed bool
	report layout.ReportDocument
	told   told
	// largest are the biggest files, first one first.
	largest []corpusFile
}

// TestCorpus builds every extension package from the recipe that init writes,
// for amd64 and arm64, has the dynamic loader judge every image, holds all that is
// told about it against its bytes, and tries those for amd64 out.
func TestCorpus(t *testing.T) {
	c := &corpus{distro: *corpusDistro, postgres: *corpusPostgres, archives: strings.Fields(*corpusArchives), dir: t.TempDir()}
	c.classify(t)
	c.unpackBase(t)
	ses := c.session(t)
	recipes, err := recipe.Load(filepath.Join(c.dir, "recipes"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recipes {
		if only := strings.Fields(*corpusOnly); len(only) > 0 && !slices.Contains(only, r.Name) {
			continue
		}
		t.Run(r.Name, func(t *testing.T) { c.image(t, builder.New(ses), r) })
	}
	t.Run("classes", c.checkClasses)
	t.Run("evidence", func(t *testing.T) { c.evidence(t, ses) })
	t.Run("live", func(t *testing.T) { c.live(t, ses) })
	if !t.Failed() && *corpusUpdate {
		c.write(t)
	}
}

// classify has init write the recipes and say what every package is.
func (c *corpus) classify(t *testing.T) {
	t.Helper()
	args := []string{
		"init", "--all", "--distro", c.distro, "--pg", fmt.Sprint(c.postgres),
		"--allow-expired", "--json", "--output", filepath.Join(c.dir, "recipes"),
	}
	for _, a := range c.archives {
		args = append(args, "--archive", a)
	}
	var stdout, stderr bytes.Buffer
	if code := run(args, &stdout, &stderr); code != 0 {
		t.Fatalf("pgext %s: exit code %d\n%s", strings.Join(args, " "), code, stderr.String())
	}
	var doc initDocument
	if err := json.Unmarshal(stdout.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	c.classes = doc.Classes
}

// session is what `pgext build --allow-expired` uses.
func (c *corpus) session(t *testing.T) *session.Session {
	t.Helper()
	b, err := corpusApp().newSession(resolvingFlags{archives: c.archives, allowExpired: true}, imageFlags{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// corpusApp is what the verbs share, with the cache that init uses too.
func corpusApp() *app {
	a := &app{stdout: os.Stdout, stderr: os.Stderr, getenv: os.LookupEnv}
	a.global.cacheDir = os.Getenv("PGEXT_CACHE_DIR")
	return a
}

// image builds one recipe, unpacks its images and asks the loader.
func (c *corpus) image(t *testing.T, b *builder.Builder, r *recipe.Recipe) {
	t.Helper()
	plan, err := b.Plan(t.Context(), r, recipe.Selection{Distros: []string{c.distro}, Postgres: []int{c.postgres}}, builder.Keep)
	if err != nil {
		t.Fatal(err)
	}
	built, err := b.Build(t.Context(), plan, filepath.Join(c.dir, "dist"))
	if err != nil {
		t.Fatal(err)
	}
	row := corpusImage{name: r.Name, built: built[0], recipe: r, lock: plan.Lock.Encode()}
	artifact, err := image.At(row.built.Path).Open(row.built.Tags[0])
	if err != nil {
		t.Fatal(err)
	}
	for i, arch := range row.built.Archs {
		u := unpackImage(t, artifact.Images[i], row.built.Path)
		row.metadata = u.metadata
		m := u.measure(t, c, row.built, arch)
		c.checkLoader(t, u, m, r.Name)
		m.told = c.checkDocuments(t, u, row.built, arch)
		row.archs = append(row.archs, m)
	}
	for _, f := range row.built.Findings {
		if f.Severity == finding.Error {
			t.Errorf("%s", f)
		}
	}
	c.images = append(c.images, row)
}

// checkClasses asks for one class for every package, and an image for every
// one of that class.
func (c *corpus) checkClasses(t *testing.T) {
	t.Helper()
	if len(c.classes) < 50 {
		t.Errorf("%d packages, which are too few", len(c.classes))
	}
	seen := map[string]bool{}
	recipes := map[string]bool{}
	for _, class := range c.classes {
		if seen[class.Package] {
			t.Errorf("%s has two classes", class.Package)
		}
		seen[class.Package] = true
		recipes[class.Recipe] = recipes[class.Recipe] || class.Kind == probe.Image
	}
	for _, class := range c.classes {
		switch {
		case class.Kind != probe.None && !recipes[class.Recipe]:
			t.Errorf("%s belongs to image %s, which has no recipe", class.Package, class.Recipe)
		case class.Kind == probe.None && class.Reason == "":
			t.Errorf("%s is no extension, and nobody says why", class.Package)
		}
	}
	delete(recipes, "")
	if len(c.images) != len(recipes) && *corpusOnly == "" {
		t.Errorf("%d images of %d recipes", len(c.images), len(recipes))
	}
}
