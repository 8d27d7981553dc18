package builder

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

// pins turns the answer of a resolution into what the lock holds. Packages
// that turn out to give the image no file are not pinned.
func (s *resolution) pins(ctx context.Context, answer closure.Answer) (lock.Target, error) {
	pins := lock.Target{
		Distro: s.target.Distro, Postgres: s.target.Postgres, Arch: s.arch,
		Recipe: recipe.ResolutionChecksum(s.target, s.arch),
		Base:   s.lockedBase(answer),
		Data:   s.known,
	}
	for _, o := range s.opened {
		for _, r := range o.Releases {
			pins.Archives = append(pins.Archives, lockedArchive(r))
		}
	}
	var err error
	if pins.Packages, err = s.candidates(ctx, answer); err != nil {
		return lock.Target{}, err
	}
	owners, err := s.copyrightOwners(ctx, pins)
	if err != nil {
		return lock.Target{}, err
	}
	pins.Packages = append(pins.Packages, owners...)
	arranged, err := s.tryOut(ctx, pins)
	if err != nil {
		return lock.Target{}, err
	}
	pins.Packages = slices.DeleteFunc(pins.Packages, func(p lock.Package) bool { return !slices.Contains(arranged.Given, p.Package) })
	if !slices.ContainsFunc(pins.Packages, func(p lock.Package) bool { return p.Role == lock.Extension }) {
		return lock.Target{}, &EmptyError{s.named()}
	}
	pins.Requires, pins.Base.Extensions, err = s.requires(ctx, arranged.Extensions)
	return pins, err
}

// candidates are the packages that may give the image a file. One that does so
// in several ways has the role of the last.
func (s *resolution) candidates(ctx context.Context, answer closure.Answer) ([]lock.Package, error) {
	byName := map[string]lock.Package{}
	for _, list := range []struct {
		role     lock.Role
		packages []apt.Package
	}{{lock.Data, s.dataPackages()}, {lock.Library, answer.Libraries}, {lock.Extension, s.members.Extension}} {
		digests, err := s.fetchPackages(ctx, list.packages)
		if err != nil {
			return nil, err
		}
		for i, p := range list.packages {
			byName[p.Name] = lockedPackage(p, list.role, digests[i])
		}
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b lock.Package) int { return strings.Compare(a.Package, b.Package) }), nil
}

// tryOut arranges the image that the pins describe.
func (s *resolution) tryOut(ctx context.Context, pins lock.Target) (layout.Result, error) {
	packages, err := s.Extract(ctx, s.recipe, s.target, pins)
	if err != nil {
		return layout.Result{}, err
	}
	return s.Layout(s.recipe, s.target, pins, packages)
}

// copyrightOwners are the packages, of the base too, that have the copyright
// file of one that the pins name and are not named themselves.
func (s *resolution) copyrightOwners(ctx context.Context, pins lock.Target) ([]lock.Package, error) {
	packages, err := s.Extract(ctx, s.recipe, s.target, pins)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, p := range packages {
		wanted[layout.CopyrightOwner(p)] = true
	}
	for _, p := range packages {
		delete(wanted, p.Name)
	}
	owners := slices.Concat(s.resolved, s.fetchable())
	owners = slices.DeleteFunc(owners, func(p apt.Package) bool { return !wanted[p.Name] })
	slices.SortStableFunc(owners, func(a, b apt.Package) int { return strings.Compare(a.Name, b.Name) })
	owners = slices.CompactFunc(owners, func(a, b apt.Package) bool { return a.Name == b.Name })
	digests, err := s.fetchPackages(ctx, owners)
	if err != nil {
		return nil, err
	}
	out := make([]lock.Package, len(owners))
	for i, p := range owners {
		out[i] = lockedPackage(p, lock.Data, digests[i])
	}
	return out, nil
}

func (s *resolution) lockedBase(answer closure.Answer) lock.Base {
	b := lock.Base{Name: s.base.Name, Image: s.base.Image, Postgres: s.base.Postgres, Checksum: "sha256:" + s.base.Checksum()}
	entry := map[string]*lock.BasePackage{}
	add := func(p apt.Package) *lock.BasePackage {
		if entry[p.Name] == nil {
			entry[p.Name] = &lock.BasePackage{Package: p.Name, Version: p.Version, SHA256: p.SHA256}
		}
		return entry[p.Name]
	}
	for _, satisfied := range answer.Base {
		add(satisfied.Package).Libraries = satisfied.Libraries
	}
	for line, name := range s.interpreters {
		if p, ok := s.base.Package(name); ok {
			e := add(p)
			e.Interpreters = append(e.Interpreters, line)
		}
	}
	for _, e := range entry {
		slices.Sort(e.Interpreters)
		b.Packages = append(b.Packages, *e)
	}
	return b
}

func lockedArchive(r archive.Release) lock.Archive {
	return lock.Archive{
		Name: r.Archive, Suite: r.Suite, InRelease: r.SHA256, Date: r.Date,
		Fingerprint: r.Fingerprint, ExpiredAllowed: r.Expired,
	}
}

func lockedPackage(p apt.Package, role lock.Role, sha256 string) lock.Package {
	return lock.Package{
		Package: p.Name, Version: p.Version, Arch: p.Arch, Source: p.Source, SourceVersion: p.SourceVersion,
		Role: role, Size: p.Size, SHA256: sha256, SHA512: p.SHA512, Archive: p.Archive, Path: p.Filename,
	}
}

// fetchPackages fetches packages of the resolution's archives. It returns
// their SHA-256 digests, by index.
func (s *resolution) fetchPackages(ctx context.Context, packages []apt.Package) ([]string, error) {
	blobs := make([]fetch.Blob, len(packages))
	for i, p := range packages {
		blobs[i] = fetch.Blob{Name: p.Name, SHA256: p.SHA256, SHA512: p.SHA512, Size: p.Size}
		for _, o := range s.opened {
			if o.Archive.Name == p.Archive {
				blobs[i].URLs = archive.URLs(o.Archive, []archive.Mirror{o.Mirror}, p.Filename, o.Releases[0].Date)
			}
		}
	}
	return s.o.Fetcher.Blobs(ctx, blobs)
}

// Fetch makes sure that the cache has every package that the pins name,
// whatever mirror still has it. A file of the recipe that is gone is its
// author's affair: another lock would name the same.
func (b *Builder) Fetch(ctx context.Context, r *recipe.Recipe, t recipe.Target, pins lock.Target) error {
	blobs := make([]fetch.Blob, 0, len(pins.Packages))
	ladders := map[string]archive.Archive{}
	for _, p := range pins.Packages {
		blob := fetch.Blob{Name: p.Package, SHA256: p.SHA256, SHA512: p.SHA512, Size: p.Size}
		size, cached := b.o.Cache.Has(p.SHA256)
		switch {
		case cached && size == p.Size:
		case p.Archive == "":
			file, err := fileWith(r, t, pins.Arch, p.SHA256)
			if err != nil {
				return err
			}
			blob.URLs = file.URLs
		default:
			a, err := b.ladder(t, pins.Arch, p.Archive, ladders)
			if err != nil {
				return err
			}
			blob.URLs = archive.URLs(a, archive.Mirrors(a, b.archiveOptions()), p.Path, lockedDate(pins, p.Archive))
		}
		blobs = append(blobs, blob)
	}
	_, err := b.o.Fetcher.Blobs(ctx, blobs)
	var gone *fetch.NotFoundError
	if errors.As(err, &gone) && !slices.ContainsFunc(pins.Packages, func(p lock.Package) bool { return p.Archive == "" && p.Package == gone.Name }) {
		return &GoneError{Recipe: r.Path, Err: err}
	}
	return err
}

// ladder returns the archive that a pin names: the recipe's, else the built-in
// one.
func (b *Builder) ladder(t recipe.Target, arch, name string, known map[string]archive.Archive) (archive.Archive, error) {
	if len(known) == 0 {
		for _, w := range b.wantedArchives(t, arch) {
			a, err := unsigned(w, t.Distro)
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
