package builder

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

// fetch makes sure that the cache has every package that the pins name,
// whatever mirror still has it. A file of the recipe that is gone is its
// author's affair: another lock would name the same.
func (b *Builder) fetch(ctx context.Context, in inputs) error {
	present, err := b.present(ctx, in.pins.Packages)
	if err != nil {
		return err
	}
	blobs := make([]fetch.Blob, 0, len(in.pins.Packages))
	ladders := map[string]archive.Archive{}
	for i, p := range in.pins.Packages {
		blob := fetch.Blob{Name: p.Package, SHA256: p.SHA256, SHA512: p.SHA512, Size: p.Size}
		switch {
		case present[i]:
		case p.Archive == "":
			file, err := fileWith(in.recipe, in.target, in.pins.Arch, p.SHA256)
			if err != nil {
				return err
			}
			blob.URLs = file.URLs
		default:
			a, err := b.ladder(in.target, in.pins.Arch, p.Archive, ladders)
			if err != nil {
				return err
			}
			blob.URLs = archive.URLs(a, archive.Mirrors(a, b.s.ArchiveOptions()), p.Path, lockedDate(in.pins, p.Archive))
		}
		blobs = append(blobs, blob)
	}
	_, err = b.s.Fetcher.Blobs(ctx, blobs)
	var gone *fetch.NotFoundError
	if errors.As(err, &gone) && !slices.ContainsFunc(in.pins.Packages, func(p lock.Package) bool { return p.Archive == "" && p.Package == gone.Name }) {
		return &GoneError{Recipe: in.recipe.Path, Err: err}
	}
	return err
}

// present reports, by index, which packages are complete in the cache; they need no
// URL. The fetcher does not verify them again.
func (b *Builder) present(ctx context.Context, packages []lock.Package) ([]bool, error) {
	out := make([]bool, len(packages))
	return out, session.Parallel(b.s.Jobs, len(packages), func(i int) error {
		if f, err := b.s.Cache.Open(packages[i].SHA256); err == nil {
			out[i] = true
			f.Close() // nothing was read from it
		}
		return ctx.Err()
	})
}

// ladder returns the archive that a pin names: the recipe's, else the built-in
// one.
func (b *Builder) ladder(t recipe.Target, arch, name string, known map[string]archive.Archive) (archive.Archive, error) {
	if len(known) == 0 {
		for _, w := range b.s.WantedArchives(t, arch) {
			a, err := session.WithoutKeyring(w, t.Distro)
			if err != nil {
				return archive.Archive{}, err
			}
			known[a.Name] = a
		}
	}
	if a, ok := known[name]; ok {
		return a, nil
	}
	a, err := archive.Builtin(name, t.Distro)
	if err == nil {
		known[name] = a
	}
	return a, err
}

// lockedDate is when the archive was resolved; the newest suite's counts.
func lockedDate(pins lock.Target, name string) (date time.Time) {
	for _, a := range pins.Archives {
		if a.Name == name && a.Date.After(date) {
			date = a.Date
		}
	}
	return date
}
