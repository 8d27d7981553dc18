package session

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/recipe"
)

// ArchiveOptions returns the options for opening archives.
func (s *Session) ArchiveOptions() archive.Options {
	return archive.Options{
		Fetcher: s.Fetcher, Store: s.Cache, Mirrors: s.Mirrors,
		AllowExpired: s.AllowExpired, Now: s.Now, Log: s.Log,
	}
}

// archivesOf returns the archives of a target with their keyrings.
func (s *Session) archivesOf(r *recipe.Recipe, t recipe.Target, arch string) ([]archive.Archive, error) {
	wanted := s.WantedArchives(t, arch)
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

// WantedArchives returns the archives of a target: those of the command line, of
// the recipe, or the defaults of the distribution.
func (s *Session) WantedArchives(t recipe.Target, arch string) []recipe.Archive {
	names := s.Archives
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

// WithoutKeyring returns an archive of a recipe without its keyring, for files
// whose digest is known.
func WithoutKeyring(w recipe.Archive, distro string) (archive.Archive, error) {
	w.SignedBy = ""
	return archiveOf(w, distro, "")
}

// archiveOf returns an archive of a recipe in the folder dir.
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
