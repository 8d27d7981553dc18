package builder

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

// pins turns the result of a resolution into what the lock holds. Packages
// that turn out to give the image no file are not pinned.
func (s *Resolution) pins(ctx context.Context, result closure.Result) (lock.Target, error) {
	pins := lock.Target{
		Distro: s.Target.Distro, Postgres: s.Target.Postgres, Arch: s.Sources.Arch,
		Recipe: recipe.ResolutionChecksum(s.Target, s.Sources.Arch),
		Base:   s.lockedBase(result),
		Data:   s.known,
	}
	for _, o := range s.Sources.Opened {
		for _, r := range o.Releases {
			pins.Archives = append(pins.Archives, lockedArchive(r))
		}
	}
	var err error
	if pins.Packages, err = s.candidates(ctx, result); err != nil {
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
func (s *Resolution) candidates(ctx context.Context, result closure.Result) ([]lock.Package, error) {
	byName := map[string]lock.Package{}
	for _, list := range []struct {
		role     lock.Role
		packages []apt.Package
	}{{lock.Data, s.dataPackages()}, {lock.Library, result.Libraries}, {lock.Extension, s.Members.Extension}} {
		digests, err := s.Sources.Fetch(ctx, list.packages)
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
func (s *Resolution) tryOut(ctx context.Context, pins lock.Target) (layout.Result, error) {
	in := inputs{s.Recipe, s.Target, pins}
	packages, err := s.b.extract(ctx, in)
	if err != nil {
		return layout.Result{}, err
	}
	return s.b.layOut(in, packages)
}

// copyrightOwners are the packages, of the base too, that have the copyright
// file of one that the pins name and are not named themselves.
func (s *Resolution) copyrightOwners(ctx context.Context, pins lock.Target) ([]lock.Package, error) {
	packages, err := s.b.extract(ctx, inputs{s.Recipe, s.Target, pins})
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
	owners := slices.Concat(s.Resolved, s.Sources.FetchableBase())
	owners = slices.DeleteFunc(owners, func(p apt.Package) bool { return !wanted[p.Name] })
	slices.SortStableFunc(owners, func(a, b apt.Package) int { return strings.Compare(a.Name, b.Name) })
	owners = slices.CompactFunc(owners, func(a, b apt.Package) bool { return a.Name == b.Name })
	digests, err := s.Sources.Fetch(ctx, owners)
	if err != nil {
		return nil, err
	}
	out := make([]lock.Package, len(owners))
	for i, p := range owners {
		out[i] = lockedPackage(p, lock.Data, digests[i])
	}
	return out, nil
}

func (s *Resolution) lockedBase(result closure.Result) lock.Base {
	b := lock.Base{Name: s.Sources.Base.Name, Image: s.Sources.Base.Image, Postgres: s.Sources.Base.Postgres, Checksum: "sha256:" + s.Sources.Base.Checksum()}
	entry := map[string]*lock.BasePackage{}
	add := func(p apt.Package) *lock.BasePackage {
		if entry[p.Name] == nil {
			entry[p.Name] = &lock.BasePackage{Package: p.Name, Version: p.Version, SHA256: p.SHA256}
		}
		return entry[p.Name]
	}
	for _, satisfied := range result.Base {
		add(satisfied.Package).Libraries = satisfied.Libraries
	}
	for line, name := range s.interpreters {
		if p, ok := s.Sources.Base.Package(name); ok {
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
