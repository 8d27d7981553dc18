package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/recipe"
)

// selectionFlags name targets of a recipe.
type selectionFlags struct {
	distros []string
	majors  []int
	archs   []string
}

func (s *selectionFlags) bind(fs *pflag.FlagSet) {
	fs.StringSliceVar(&s.distros, "distro", nil, "only these distributions")
	fs.IntSliceVar(&s.majors, "pg", nil, "only these PostgreSQL majors")
	fs.StringSliceVar(&s.archs, "arch", nil, "only these architectures, by their Debian names")
}

func (s *selectionFlags) selection() recipe.Selection {
	return recipe.Selection{Distros: s.distros, Postgres: s.majors, Archs: s.archs}
}

// resolvingFlags belong to the verbs that may resolve against archives.
type resolvingFlags struct {
	mirrorFlags
	archives     []string
	allowExpired bool
}

// mirrorFlags belong to the verbs that may fetch packages.
type mirrorFlags struct {
	mirrors []string
}

func (m *mirrorFlags) bind(fs *pflag.FlagSet) {
	fs.StringArrayVar(&m.mirrors, "mirror", nil, "mirror of an archive, as NAME=URL")
}

func (r *resolvingFlags) bind(fs *pflag.FlagSet) {
	r.mirrorFlags.bind(fs)
	fs.StringSliceVar(&r.archives, "archive", nil, "use these archives instead of the distribution's own: debian, debian-security, pgdg")
	fs.BoolVar(&r.allowExpired, "allow-expired", false, "accept an archive whose Release is past its Valid-Until; the lock says so")
}

// imageFlags decide what the images say, or how their bytes are written.
type imageFlags struct {
	annotations []string
	compression string
	revision    int
}

func (i *imageFlags) bind(fs *pflag.FlagSet) {
	fs.StringArrayVar(&i.annotations, "annotation", nil, "further OCI annotation, as KEY=VALUE")
	fs.StringVar(&i.compression, "compression", "gzip", "compression of the layers: gzip or zstd")
	fs.IntVar(&i.revision, "revision", 0, "append -rN to the tag that never moves")
}

// newBuilder makes the builder that the flags describe.
func (a *app) newBuilder(r resolvingFlags, i imageFlags) (*builder.Builder, error) {
	mirrors, err := archive.ParseMirrors(strings.Join(r.mirrors, " "))
	if err != nil {
		return nil, err
	}
	annotations, err := parsePairs("--annotation", i.annotations)
	if err != nil {
		return nil, err
	}
	for key := range annotations {
		if err := recipe.CheckAnnotation(key); err != nil {
			return nil, usageErrorf("--annotation: %v", err)
		}
	}
	if i.revision < 0 {
		return nil, usageErrorf("--revision %d: a revision is 1 or more", i.revision)
	}
	switch i.compression {
	case "", "gzip", "zstd":
	default:
		return nil, usageErrorf("--compression %q: there is gzip and zstd", i.compression)
	}
	epoch, err := a.sourceDateEpoch()
	if err != nil {
		return nil, err
	}
	c, err := a.openCache()
	if err != nil {
		return nil, err
	}
	var operands builder.Resolver // of base: image:REF
	if !a.global.offline {
		operands = a.registryClient()
	}
	return builder.New(builder.Options{
		Registry:     operands,
		Cache:        c,
		Fetcher:      fetch.New(c, a.fetchOptions()),
		Jobs:         a.global.jobs,
		Archives:     r.archives,
		Mirrors:      mirrors,
		AllowExpired: r.allowExpired,
		Annotations:  annotations,
		Compression:  image.Compression(i.compression),
		Revision:     i.revision,
		Epoch:        epoch,
		Program:      programIdentity(),
		Maker:        maker(),
		Log:          a.logger(),
	}), nil
}

func (a *app) openCache() (*cache.Cache, error) {
	dir := a.global.cacheDir
	if dir == "" {
		var err error
		if dir, err = cache.DefaultDir(); err != nil {
			return nil, err
		}
	}
	return cache.Open(dir)
}

func (a *app) fetchOptions() fetch.Options {
	return fetch.Options{
		Jobs:      a.global.jobs,
		Offline:   a.global.offline,
		UserAgent: "pgext/" + versionString(),
		Log:       a.logger(),
		Progress:  a.progress(),
	}
}

// lastSecond is the end of the year 9999, the last that RFC 3339 can write.
const lastSecond = 253402300799

// sourceDateEpoch returns the time of SOURCE_DATE_EPOCH, in seconds since
// 1970, or nil when it is not set
// (https://reproducible-builds.org/specs/source-date-epoch/).
func (a *app) sourceDateEpoch() (*time.Time, error) {
	text, ok := a.getenv("SOURCE_DATE_EPOCH")
	if !ok || text == "" {
		return nil, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > lastSecond {
		return nil, usageErrorf("SOURCE_DATE_EPOCH=%q: not a number of seconds since 1970", text)
	}
	at := time.Unix(seconds, 0).UTC()
	return &at, nil
}

// checkMirrors refuses a mirror of an archive that no recipe can read: a
// mistyped name would leave the real one where it is.
func (r *resolvingFlags) checkMirrors(recipes []*recipe.Recipe) error {
	mirrors, err := archive.ParseMirrors(strings.Join(r.mirrors, " "))
	if err != nil {
		return err
	}
	known := []string{archive.Debian, archive.DebianSecurity, archive.PGDG}
	for _, rec := range recipes {
		for _, a := range rec.Archives {
			known = append(known, a.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(mirrors)) {
		if !slices.Contains(known, name) {
			slices.Sort(known)
			return usageErrorf("--mirror %s: no archive has this name, there are %s", name, strings.Join(slices.Compact(known), ", "))
		}
	}
	return nil
}

// parsePairs reads KEY=VALUE flags.
func parsePairs(flag string, pairs []string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range pairs {
		key, value, ok := strings.Cut(p, "=")
		if !ok || key == "" {
			return nil, usageErrorf("%s %q: not KEY=VALUE", flag, p)
		}
		out[key] = value
	}
	return out, nil
}

// loadRecipes returns the recipes that the arguments name, each once.
func loadRecipes(args []string) ([]*recipe.Recipe, error) {
	var all []*recipe.Recipe
	seen := map[string]string{}
	for _, arg := range args {
		if arg == "" {
			return nil, usageErrorf("a recipe's path is empty")
		}
		recipes, err := recipe.Load(arg)
		if err != nil {
			return nil, err
		}
		for _, r := range recipes {
			other, known := seen[r.Image]
			switch {
			case !known:
				seen[r.Image] = r.Path
				all = append(all, r)
			case filepath.Clean(other) != filepath.Clean(r.Path):
				return nil, &sameImageError{image: r.Image, paths: [2]string{other, r.Path}}
			}
		}
	}
	return all, nil
}

// sameImageError is about two recipes that would overwrite each other.
type sameImageError struct {
	image string
	paths [2]string
}

func (e *sameImageError) Error() string {
	return fmt.Sprintf("%s and %s both make the image %s", e.paths[0], e.paths[1], e.image)
}

// Hint names the field to change.
func (*sameImageError) Hint() string { return "give one of them another image" }

// ExitCode is 10: the recipes together are invalid.
func (*sameImageError) ExitCode() int { return 10 }

// isTerminal reports whether people watch stderr.
func (a *app) isTerminal() bool {
	f, ok := a.stderr.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
