package builder

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/recipe"
)

func (b *Builder) archiveOptions() archive.Options {
	return archive.Options{
		Fetcher: b.o.Fetcher, Store: b.o.Cache, Mirrors: b.o.Mirrors,
		AllowExpired: b.o.AllowExpired, Now: b.o.Now, Log: b.o.Log,
	}
}

// archivesOf returns the archives of a target: those of the command line, of
// the recipe, or the distribution's own.
func (b *Builder) archivesOf(r *recipe.Recipe, t recipe.Target, arch string) ([]archive.Archive, error) {
	wanted := b.wantedArchives(t, arch)
	out := make([]archive.Archive, len(wanted))
	for i, w := range wanted {
		a, err := archiveOf(w, t.Distro, filepath.Dir(r.Path))
		if err != nil {
			return nil, fmt.Errorf("reading archives of %s: %w", r.Path, err)
		}
		out[i] = a
	}
	return out, nil
}

// wantedArchives are the archives of a target as a recipe names them.
func (b *Builder) wantedArchives(t recipe.Target, arch string) []recipe.Archive {
	names := b.o.Archives
	switch {
	case len(names) > 0:
	case len(t.Archives) > 0:
		return t.ArchivesFor(arch)
	default:
		names = archive.Defaults(t.Distro)
	}
	out := make([]recipe.Archive, len(names))
	for i, name := range names {
		out[i] = recipe.Archive{Name: name}
	}
	return out
}

// unsigned is archiveOf for those who know the digest of what they look for:
// whose signature the archive has does not matter to them.
func unsigned(w recipe.Archive, distro string) (archive.Archive, error) {
	w.SignedBy = ""
	return archiveOf(w, distro, "")
}

// archiveOf translates an archive of a recipe that lies in dir.
func archiveOf(w recipe.Archive, distro, dir string) (archive.Archive, error) {
	a := archive.Archive{Name: w.Name, URL: w.URL, Suites: []string{distro}}
	if w.BuiltIn() {
		var err error
		if a, err = archive.Builtin(w.Name, distro); err != nil {
			return archive.Archive{}, err
		}
	}
	if w.Suite != "" {
		a.Suites, a.Optional = []string{w.Suite}, nil
	}
	if len(w.Components) > 0 {
		a.Components = slices.Clone(w.Components)
	}
	if len(w.Fingerprints) > 0 {
		a.Fingerprints = slices.Clone(w.Fingerprints)
	}
	a.Snapshot, a.NoValidUntil = w.SnapshotTime(), !w.ChecksValidUntil()
	switch {
	case w.SignedBy == "":
	case strings.Contains(w.SignedBy, "\n"): // inline armor
		a.Keyring = []byte(w.SignedBy)
	default:
		keys, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(w.SignedBy)))
		if err != nil {
			return archive.Archive{}, &archive.InvalidError{Archive: w.Name, Text: "signed_by: " + err.Error()}
		}
		a.Keyring = keys
	}
	return a, nil
}
