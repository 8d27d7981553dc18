package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pgext/pgext/internal/atomicfile"
	"github.com/pgext/pgext/internal/initrecipe"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/probe"
	"github.com/pgext/pgext/internal/recipe"
)

type initFlags struct {
	resolvingFlags
	distro       string
	postgres     int
	archivesFrom string
	output       string
	force        bool
	all          bool
	probe        bool
	requireImage []string
}

func (a *app) initCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init PACKAGE...",
		Short: "Write a recipe for Debian packages",
		Long: `Write the shortest recipe for an image of Debian packages: one recipe for all
packages named. The prefix postgresql-NN- of a name is optional. Fields that a
build derives are left out; every other field has a comment with its source, and
with a note if it is a guess to check.

With --all, every package postgresql-NN-* of the archives is classified: an
image, a part of another image, or not an extension. Each image gets a recipe in
DIR/<name>/recipe.yaml; standard output is the table of classes.

With --probe, the image is built and tested on a real server, as with pgext
test, and the recipe gets the settings that the server needs: libraries to
preload, parameters that make CloudNativePG preload its own, libraries opened at
run time, extensions of other images. Required images are built as well, or
taken from --require-image. If a check still fails, the exit code is 3; the
recipe is written nevertheless.`,
		Example: `  pgext init pgvector --output recipe.yaml
  pgext init postgresql-18-cron --distro forky --probe
  pgext init --all --distro forky --pg 18 --output recipes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runInit(cmd.Context(), args, f)
		},
	}
	fs := cmd.Flags()
	f.bind(fs)
	fs.StringVar(&f.distro, "distro", recipe.DefaultDistro, "distribution with the packages")
	fs.IntVar(&f.postgres, "pg", 18, "PostgreSQL major")
	fs.StringVar(&f.archivesFrom, "archives-from", "", "recipe whose archives are used, and named in the new one")
	fs.StringVar(&f.output, "output", "-", "file for the recipe or folder for recipe.yaml, - for standard output; with --all, folder for the recipes")
	fs.BoolVar(&f.force, "force", false, "overwrite existing recipes")
	fs.BoolVar(&f.all, "all", false, "every extension package of the archives")
	fs.BoolVar(&f.probe, "probe", false, "test the image on a real server and write the settings it needs")
	fs.StringArrayVar(&f.requireImage, "require-image", nil, "with --probe: image that others may require")
	return cmd
}

func (a *app) runInit(ctx context.Context, args []string, f initFlags) error {
	if err := f.check(args); err != nil {
		return err
	}
	s, err := a.newSession(f.resolvingFlags, imageFlags{})
	if err != nil {
		return err
	}
	ask, err := f.ask()
	if err != nil {
		return err
	}
	finder := initrecipe.New(s)
	if f.all {
		return a.initAll(ctx, finder, ask, f)
	}
	return a.initOne(ctx, finder, ask, args, f)
}

func (f initFlags) check(args []string) error {
	switch {
	case f.all && len(args) > 0:
		return usageErrorf("--all takes no package")
	case f.output == "":
		return usageErrorf("--output is empty: it needs a file or a folder, or - for standard output")
	case f.all && f.output == "-":
		return usageErrorf("--all writes several recipes: --output DIR is needed")
	case !f.all && len(args) == 0:
		return usageErrorf("need a package, or --all")
	case len(f.requireImage) > 0 && !f.probe:
		return usageErrorf("--require-image needs --probe")
	case f.archivesFrom != "" && len(f.archives) > 0:
		return usageErrorf("--archives-from and --archive are mutually exclusive")
	}
	return nil
}

// ask translates the flags.
func (f initFlags) ask() (initrecipe.Ask, error) {
	ask := initrecipe.Ask{Distro: f.distro, Postgres: f.postgres}
	if f.archivesFrom == "" {
		return ask, nil
	}
	recipes, err := recipe.Load(f.archivesFrom)
	if err != nil {
		return ask, err
	}
	if len(recipes) != 1 {
		return ask, usageErrorf("--archives-from %s: %d recipes, one is needed", f.archivesFrom, len(recipes))
	}
	ask.Like = recipes[0]
	return ask, nil
}

type initDocument struct {
	Schema  int          `json:"schema"`
	Recipes []initRecipe `json:"recipes"`
	// Classes is there with --all only.
	Classes []probe.Class `json:"classes,omitempty"`
}

// initRecipe is one recipe that was made.
type initRecipe struct {
	// Path is where it was written; "" for standard output.
	Path  string      `json:"path,omitempty"`
	Facts probe.Facts `json:"facts"`
	Text  string      `json:"text"`
	// Checks are there with --probe only.
	Checks []pgtest.Check `json:"checks,omitempty"`
}

func (a *app) initOne(ctx context.Context, b *initrecipe.Finder, ask initrecipe.Ask, packages []string, f initFlags) error {
	path := f.output
	if path != "-" && isFolder(path) {
		path = filepath.Join(path, recipe.FileName)
	}
	if err := f.free(path); err != nil {
		return err
	}
	facts, err := b.Probe(ctx, ask, packages)
	if err != nil {
		return err
	}
	found := []initrecipe.Discovery{{Facts: facts}}
	if f.probe {
		if err := a.discover(ctx, b, ask, found, f.requireImage); err != nil {
			return err
		}
	}
	made, err := f.write(found[0], path)
	if err != nil {
		return err
	}
	if a.global.json {
		err = a.printJSON(initDocument{Schema: 1, Recipes: []initRecipe{made}})
		return cmp.Or(err, failedProbe(found))
	}
	text := made.Text
	if made.Path != "" {
		text = made.Path + "\n"
	}
	_, err = fmt.Fprint(a.stdout, text)
	return cmp.Or(err, failedProbe(found))
}

// isFolder reports whether a path names a folder that is there, or is to be one.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir() || strings.HasSuffix(filepath.ToSlash(path), "/")
}

func (a *app) initAll(ctx context.Context, b *initrecipe.Finder, ask initrecipe.Ask, f initFlags) error {
	all, err := b.Classify(ctx, ask)
	if err != nil {
		return err
	}
	doc := initDocument{Schema: 1, Recipes: []initRecipe{}, Classes: all.Classes}
	paths := make([]string, len(all.Facts))
	found := make([]initrecipe.Discovery, len(all.Facts))
	for i, facts := range all.Facts {
		found[i].Facts = facts
		paths[i] = filepath.Join(f.output, facts.Name, recipe.FileName)
		if err := f.free(paths[i]); err != nil {
			return err
		}
	}
	if f.probe {
		if err := a.discover(ctx, b, ask, found, f.requireImage); err != nil {
			return err
		}
	}
	for i, d := range found {
		made, err := f.write(d, paths[i])
		if err != nil {
			return err
		}
		doc.Recipes = append(doc.Recipes, made)
	}
	if a.global.json {
		err = a.printJSON(doc)
	} else {
		err = a.printClasses(all)
	}
	return cmp.Or(err, failedProbe(found))
}

// printClasses prints a line for each package, then how many are of each
// class.
func (a *app) printClasses(all initrecipe.Classification) error {
	var b strings.Builder
	count := map[probe.Kind]int{}
	for _, c := range all.Classes {
		count[c.Kind]++
		what := string(c.Kind)
		switch c.Kind {
		case probe.Image:
			what = "image " + c.Recipe
		case probe.Half:
			what = "half of image " + c.Recipe
		case probe.None:
			what = "no extension"
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\n", c.Package, what, c.Reason)
	}
	if _, err := fmt.Fprint(a.stdout, visible(b.String())); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.stderr, "%s, PostgreSQL %d: %d packages: %d images, %d halves of one, %d no extension\n",
		all.Distro, all.Postgres, len(all.Classes), count[probe.Image], count[probe.Half], count[probe.None])
	return err
}

// free refuses to overwrite a file.
func (f initFlags) free(path string) error {
	if path == "-" || f.force {
		return nil
	}
	_, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("writing the recipe: %w", err)
	}
	return &existsError{path}
}

// write makes the recipe and, unless path is "-", the file.
func (f initFlags) write(found initrecipe.Discovery, path string) (initRecipe, error) {
	var err error
	facts := found.Facts
	if facts.Archives, err = f.archivesIn(filepath.Dir(path), facts.Archives); err != nil {
		return initRecipe{}, fmt.Errorf("writing the recipe: %w", err)
	}
	made := initRecipe{Facts: facts, Checks: found.Result.Checks}
	if path != "-" {
		made.Path = path
	}
	text, err := facts.Recipe()
	if err != nil {
		return made, err
	}
	made.Text = string(text)
	if made.Path == "" {
		return made, nil
	}
	if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
		err = atomicfile.Write(path, text)
	}
	if err != nil {
		return made, fmt.Errorf("writing the recipe: %w", err)
	}
	return made, nil
}

// archivesIn returns archives as a recipe in dir names them: the path of a key
// file is relative to its recipe.
func (f initFlags) archivesIn(dir string, archives []recipe.Archive) ([]recipe.Archive, error) {
	out := slices.Clone(archives)
	for i, a := range out {
		if f.archivesFrom == "" || a.SignedBy == "" || strings.Contains(a.SignedBy, "\n") {
			continue
		}
		like, err := filepath.Abs(f.archivesFrom)
		if err != nil {
			return nil, err
		}
		if info, err := os.Stat(like); err == nil && !info.IsDir() {
			like = filepath.Dir(like)
		}
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, err
		}
		key, err := filepath.Rel(dir, filepath.Join(like, filepath.FromSlash(a.SignedBy)))
		if err != nil {
			return nil, err
		}
		out[i].SignedBy = filepath.ToSlash(key)
	}
	return out, nil
}

// existsError reports that a file would be lost.
type existsError struct{ path string }

func (e *existsError) Error() string { return fmt.Sprintf("writing the recipe: %s exists", e.path) }

// Hint names the way to overwrite it.
func (*existsError) Hint() string { return "--force overwrites it" }
