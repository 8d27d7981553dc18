package builder

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/closure"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/layout"
)

// candidate is a package that may supply a file of the image.
type candidate struct {
	pin     lock.Package
	content layout.Package
}

// lay lays out the image of a resolution, and pins the packages that supply a
// file of it.
func (s *Resolution) lay(ctx context.Context, result closure.Result) (*archLayout, error) {
	candidates, err := s.candidates(ctx, result)
	if err != nil {
		return nil, err
	}
	laidOut, err := s.layOut(candidates, result.Closure)
	if err != nil {
		return nil, err
	}
	if supplying := suppliers(candidates, laidOut.Given); len(supplying) < len(candidates) {
		// The report accounts for every file of the pinned packages and for no
		// other, so packages that turn out to supply nothing are left out.
		candidates = supplying
		if laidOut, err = s.layOut(candidates, result.Closure); err != nil {
			return nil, err
		}
	}
	pins, err := s.pins(ctx, result, candidates, laidOut)
	if err != nil {
		return nil, err
	}
	packages := make([]layout.Package, len(pins.Packages))
	for i, p := range pins.Packages {
		at := slices.IndexFunc(candidates, func(c candidate) bool { return c.pin.Package == p.Package })
		packages[i] = candidates[at].content
	}
	l := s.b.describe(inputs{s.Recipe, s.Target, pins}, packages, laidOut)
	return &l, nil
}

// layOut lays out candidates with the libraries of the closure.
func (s *Resolution) layOut(candidates []candidate, needs elf.Closure) (layout.Result, error) {
	in := s.layoutInput()
	for _, c := range candidates {
		in.Packages = append(in.Packages, c.content)
	}
	return s.b.layOut(in, s.Sources.Arch, needs)
}

// suppliers returns the candidates that are among the packages given.
func suppliers(candidates []candidate, given []string) []candidate {
	return slices.DeleteFunc(slices.Clone(candidates), func(c candidate) bool { return !slices.Contains(given, c.pin.Package) })
}

// pins returns the content of the lock for this architecture.
func (s *Resolution) pins(ctx context.Context, result closure.Result, candidates []candidate, laidOut layout.Result) (lock.Target, error) {
	pins := lock.Target{
		Distro: s.Target.Distro, Postgres: s.Target.Postgres, Arch: s.Sources.Arch,
		Recipe: recipe.ResolutionChecksum(s.Target, s.Sources.Arch),
		Base:   s.lockedBase(result, laidOut.Interpreters),
		Data:   s.known,
	}
	for _, o := range s.Sources.Opened {
		for _, r := range o.Releases {
			pins.Archives = append(pins.Archives, lockedArchive(r))
		}
	}
	for _, c := range candidates {
		pins.Packages = append(pins.Packages, c.pin)
	}
	if !slices.ContainsFunc(pins.Packages, func(p lock.Package) bool { return p.Role == lock.Extension }) {
		return lock.Target{}, &EmptyError{s.named()}
	}
	var err error
	if pins.Requires, pins.Base.Extensions, err = s.requires(ctx, laidOut.Extensions); err != nil {
		return lock.Target{}, err
	}
	canonical, _ := lock.Lock{}.With(pins).Find(pins.Distro, pins.Postgres, pins.Arch)
	return canonical, nil
}

// candidates returns the packages that may supply a file, sorted by name. A
// package that may do so in several ways has the role of the last.
func (s *Resolution) candidates(ctx context.Context, result closure.Result) ([]candidate, error) {
	byName := map[string]candidate{}
	add := func(packages []apt.Package, role lock.Role, contents []layout.Package) error {
		digests, err := s.Sources.Fetch(ctx, packages)
		for i := 0; err == nil && i < len(packages); i++ {
			c := candidate{lockedPackage(packages[i], role, digests[i]), contents[i]}
			c.content.Role = role
			byName[packages[i].Name] = c
		}
		return err
	}
	data := s.dataPackages()
	err := add(data, lock.Data, s.contentsOf(data))
	if err == nil {
		err = add(result.Libraries, lock.Library, s.libraries(result, data))
	}
	if err == nil {
		err = add(s.Members.Extension, lock.Extension, s.contentsOf(s.Members.Extension))
	}
	if err != nil {
		return nil, err
	}
	owners, err := s.copyrightOwners(ctx, byName)
	if err != nil {
		return nil, err
	}
	contents, err := s.Read(ctx, owners, lock.Data)
	if err == nil {
		err = add(owners, lock.Data, contents)
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b candidate) int { return strings.Compare(a.pin.Package, b.pin.Package) }), err
}

// contentsOf returns the contents of packages of the extension or of data, which
// were read for the closure.
func (s *Resolution) contentsOf(packages []apt.Package) []layout.Package {
	out := make([]layout.Package, len(packages))
	for i, p := range packages {
		at := slices.IndexFunc(s.packages, func(c layout.Package) bool { return c.Name == p.Name })
		out[i] = s.packages[at]
	}
	return out
}

// libraries returns the contents of the packages of bundled libraries. Those of
// data have more files than the closure needed, and were read before.
func (s *Resolution) libraries(result closure.Result, data []apt.Package) []layout.Package {
	out := make([]layout.Package, len(result.Libraries))
	for i, p := range result.Libraries {
		if slices.ContainsFunc(data, func(d apt.Package) bool { return d.Name == p.Name }) {
			out[i] = s.contentsOf([]apt.Package{p})[0]
			continue
		}
		out[i] = layoutPackage(identityOf(p), lock.Library, result.Infos[i])
	}
	return out
}

// copyrightOwners returns the packages, of the base too, that have the copyright
// file of a candidate and are no candidates themselves, sorted by name.
func (s *Resolution) copyrightOwners(ctx context.Context, candidates map[string]candidate) ([]apt.Package, error) {
	wanted := map[string]bool{}
	for _, c := range candidates {
		if owner := layout.CopyrightOwner(c.content); owner != "" {
			wanted[owner] = true
		}
	}
	for name := range candidates {
		delete(wanted, name)
	}
	owners := slices.Concat(s.Resolved, s.Sources.FetchableBase())
	owners = slices.DeleteFunc(owners, func(p apt.Package) bool { return !wanted[p.Name] })
	slices.SortStableFunc(owners, func(a, b apt.Package) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(owners, func(a, b apt.Package) bool { return a.Name == b.Name }), ctx.Err()
}

func (s *Resolution) lockedBase(result closure.Result, interpreters []string) lock.Base {
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
	for _, line := range interpreters {
		if p, ok := s.Sources.Base.Interpreter(line); ok {
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
