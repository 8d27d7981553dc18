package builder

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/base"
	"github.com/pgext/pgext/internal/elfdep"
	"github.com/pgext/pgext/internal/recipe"
)

// universe is what packages of a target are chosen from.
type universe struct {
	opened []*archive.Opened
	index  *apt.Index
	base   base.Base
}

// open verifies the archives of a target and computes or reads its base.
func (b *Builder) open(ctx context.Context, r *recipe.Recipe, t recipe.Target, arch string) (universe, error) {
	archives, err := b.archivesOf(r, t, arch)
	if err != nil {
		return universe{}, err
	}
	u := universe{opened: make([]*archive.Opened, len(archives))}
	keys := make([]string, len(archives))
	if err := each(len(archives), len(archives), func(i int) (err error) {
		keys[i] = openKey(archives[i], t.Archs)
		u.opened[i], err = b.archives.get(keys[i], func() (*archive.Opened, error) {
			return archive.Open(ctx, archives[i], t.Archs, b.archiveOptions())
		})
		return err
	}); err != nil {
		return universe{}, err
	}
	key := strings.Join(keys, "\n") + "\n" + arch
	if u.index, err = b.indexes.get(key, func() (*apt.Index, error) {
		return apt.Load(ctx, b.o.Cache, indexFiles(u.opened), arch)
	}); err != nil {
		return universe{}, err
	}
	if o, ok := operandOf(t.BaseFor(arch), filepath.Dir(r.Path), arch, t.Postgres); ok {
		u.base, err = b.operandBase(ctx, o)
		return u, err
	}
	u.base, err = b.bases.get(fmt.Sprintf("%s\n%d", key, t.Postgres), func() (base.Base, error) {
		return base.MinimalProfile(u.index, t.Postgres)
	})
	return u, err
}

func (b *Builder) archiveOptions() archive.Options {
	return archive.Options{
		Fetcher: b.o.Fetcher, Store: b.o.Cache, Mirrors: b.o.Mirrors,
		AllowExpired: b.o.AllowExpired, Now: b.o.Now, Log: b.o.Log,
	}
}

// openKey identifies an archive as it would be opened.
func openKey(a archive.Archive, archs []string) string {
	key, err := json.Marshal(struct {
		Archive archive.Archive
		Archs   []string
	}{a, archs})
	if err != nil {
		panic(fmt.Sprintf("encoding an archive: %v", err))
	}
	return string(key)
}

func indexFiles(opened []*archive.Opened) []apt.File {
	var files []apt.File
	for _, o := range opened {
		for _, p := range o.Packages {
			files = append(files, apt.File(p))
		}
	}
	return files
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

// installed are the packages of the base, with the one that stands for files
// of none, and its libraries where they are all known.
func (u universe) installed() (packages []apt.Package, known []elfdep.Provider) {
	if !u.base.Known() {
		return u.base.Packages, nil
	}
	strangers, _ := u.base.Package(base.Unpackaged)
	return append(append(packages, u.base.Packages...), strangers), append([]elfdep.Provider{}, u.base.Libraries...)
}

// fetchable are the packages of the base that can be had from the archives.
// What an operand image has installed may be older than what they have now.
func (u universe) fetchable() []apt.Package {
	if !u.base.Known() {
		return u.base.Packages
	}
	var out []apt.Package
	for _, p := range u.base.Packages {
		if candidate, ok := u.index.Candidate(p.Name); ok {
			out = append(out, candidate)
		}
	}
	return out
}
