package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/pgext/pgext/internal/archive"
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
	fs.BoolVar(&r.allowExpired, "allow-expired", false, "accept an archive whose Release is past its Valid-Until; recorded in the lock")
}

// parse returns the mirrors by the names of their archives.
func (m *mirrorFlags) parse() (map[string]archive.Mirror, error) {
	return archive.ParseMirrors(strings.Join(m.mirrors, " "))
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

// parse refuses what no image can have, and returns the annotations.
func (i *imageFlags) parse() (map[string]string, error) {
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
	switch image.Compression(i.compression) {
	case "", image.Gzip, image.Zstd:
		return annotations, nil
	}
	return nil, usageErrorf("--compression %q: there is gzip and zstd", i.compression)
}

// checkMirrors refuses a mirror of an archive that no recipe can read: a
// mistyped name would leave the real one where it is.
func (r *resolvingFlags) checkMirrors(recipes []*recipe.Recipe) error {
	mirrors, err := r.parse()
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
