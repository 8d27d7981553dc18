package closure

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/elf"
)

// ScanFunc returns the contents of packages, by index. It fetches those that are
// not in the cache.
type ScanFunc func(ctx context.Context, packages []apt.Package) ([]*debinfo.Info, error)

// Input is the input of Search.
type Input struct {
	// Arch is the Debian architecture of the image.
	Arch string
	// Roots are the ELF files of the extension, wherever they will be placed.
	Roots []elf.Root
	// Own are the roots that the image's lib folder holds.
	Own []elf.Provider
	// Members are the packages of the roots, Base those of the operand image,
	// Offered the others that are installed with the members.
	Members, Base, Offered []apt.Package
	// Known holds all libraries of Base if they are known without a scan; nil
	// otherwise.
	Known []elf.Provider
	// Scan reads the contents of packages.
	Scan ScanFunc
}

// Result is the result of Search.
type Result struct {
	elf.Closure
	// Libraries are the packages of the bundled libraries, sorted by name, and
	// Infos their contents, by index.
	Libraries []apt.Package
	Infos     []*debinfo.Info
	// Base are the packages of the base that satisfied a need, sorted by name.
	Base []Satisfied
}

// Satisfied is a package of the base with the SONAMEs it was needed for, sorted.
type Satisfied struct {
	Package   apt.Package
	Libraries []string
}

// Search resolves the libraries that the roots need. A package is scanned only if
// a library is missing after the packages before it in the order of candidates.
func Search(ctx context.Context, in Input) (Result, error) {
	s := &search{
		Input:     in,
		all:       newPackageSet(in.Members, in.Base, in.Offered),
		providers: map[string][]elf.Provider{},
		infos:     map[string]*debinfo.Info{},
		base:      map[string]bool{},
	}
	for _, p := range in.Base {
		s.base[p.Name] = true
		if in.Known != nil {
			s.providers[p.Name] = nil
		}
	}
	for _, p := range in.Members {
		s.providers[p.Name] = nil // its files are roots; it offers nothing else
	}
	for {
		closure := elf.Close(s.input())
		batch := s.batch(closure)
		if len(batch) == 0 {
			return s.result(closure), nil
		}
		if err := s.scan(ctx, batch); err != nil {
			return Result{}, err
		}
	}
}

type search struct {
	Input
	all  packageSet
	base map[string]bool
	// providers holds the libraries of every package that was scanned, or need
	// not be.
	providers map[string][]elf.Provider
	infos     map[string]*debinfo.Info
}

func (s *search) input() elf.Input {
	in := elf.Input{Arch: s.Arch, Roots: s.Roots, Own: s.Own, Base: slices.Clone(s.Known)}
	for name, providers := range s.providers {
		if s.base[name] {
			in.Base = append(in.Base, providers...)
		} else {
			in.Offered = append(in.Offered, providers...)
		}
	}
	return in
}

// batch returns the packages to scan for the missing libraries of c, the
// candidates of each, sorted by name.
func (s *search) batch(c elf.Closure) []apt.Package {
	owners := s.owners(c)
	batch := map[string]apt.Package{}
	for _, m := range c.Missing {
		if m.Reason == elf.IsPath {
			continue
		}
		for _, p := range s.candidates(m, owners) {
			batch[p.Name] = p
		}
	}
	return slices.SortedFunc(maps.Values(batch), byName)
}

func byName(a, b apt.Package) int { return strings.Compare(a.Name, b.Name) }

// owners maps the paths of roots, siblings and bundled libraries to their
// packages.
func (s *search) owners(c elf.Closure) map[string]string {
	owners := map[string]string{}
	for _, r := range s.Roots {
		owners[r.Path] = r.Package
	}
	for _, p := range slices.Concat(c.Siblings, c.Bundled) {
		owners[p.Path] = p.Package
	}
	return owners
}

// candidates returns the unscanned packages of the first of these groups that has
// any: dependencies of the packages that need the library, whose name matches its
// SONAME; packages of the base, then offered ones, with such a name; dependencies
// in the section libs; all dependencies; packages of the base, then offered ones,
// in the section libs; the rest of the base; the rest of the offered packages.
func (s *search) candidates(m elf.Missing, owners map[string]string) []apt.Package {
	var direct []apt.Package
	for _, path := range m.NeededBy {
		if p, ok := s.all.byName[owners[path]]; ok {
			direct = append(direct, s.all.depends(p)...)
		}
	}
	conventional := func(p apt.Package) bool { return namedFor(p.Name, m.Library) }
	library := func(p apt.Package) bool { return section(p) == "libs" }
	anything := func(apt.Package) bool { return true }
	for _, group := range []struct {
		from []apt.Package
		keep func(apt.Package) bool
	}{
		{direct, conventional},
		{s.Base, conventional},
		{s.Offered, conventional},
		{direct, library},
		{direct, anything},
		{s.Base, library},
		{s.Offered, library},
		{s.Base, anything},
		{s.Offered, anything},
	} {
		if unscanned := s.unscanned(group.from, group.keep); len(unscanned) > 0 {
			return unscanned
		}
	}
	return nil
}

func (s *search) unscanned(from []apt.Package, keep func(apt.Package) bool) []apt.Package {
	var out []apt.Package
	for _, p := range from {
		if _, done := s.providers[p.Name]; !done && canHoldLibrary(p) && keep(p) {
			out = append(out, p)
		}
	}
	return out
}

func (s *search) scan(ctx context.Context, batch []apt.Package) error {
	all, err := s.Scan(ctx, batch)
	if err != nil {
		return fmt.Errorf("searching for libraries: %w", err)
	}
	for i, c := range all {
		name := batch[i].Name
		s.infos[name] = c
		s.providers[name] = []elf.Provider{}
		for path, o := range c.Objects {
			if o.Type == "dyn" {
				s.providers[name] = append(s.providers[name], elf.NewProvider(name, path, o))
			}
		}
	}
	return nil
}

func (s *search) result(c elf.Closure) Result {
	r := Result{Closure: c}
	for _, p := range c.Bundled {
		r.Libraries = append(r.Libraries, s.all.byName[p.Package])
	}
	slices.SortFunc(r.Libraries, byName)
	r.Libraries = slices.CompactFunc(r.Libraries, func(x, y apt.Package) bool { return x.Name == y.Name })
	for _, p := range r.Libraries {
		r.Infos = append(r.Infos, s.infos[p.Name])
	}
	satisfied := map[string][]string{}
	for _, p := range c.FromBase {
		satisfied[p.Package] = append(satisfied[p.Package], p.SONAME)
	}
	for name, libraries := range satisfied {
		slices.Sort(libraries)
		r.Base = append(r.Base, Satisfied{s.all.byName[name], libraries})
	}
	slices.SortFunc(r.Base, func(x, y Satisfied) int { return byName(x.Package, y.Package) })
	return r
}
