package closure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/elf"
)

// Learner returns what packages contain, by index. It fetches what it must.
type Learner func(ctx context.Context, packages []apt.Package) ([]*debinfo.Contents, error)

// Input is what Search works on.
type Input struct {
	// Arch is the Debian architecture of the image.
	Arch string
	// Roots are the ELF files of the extension, wherever they will be placed.
	Roots []elf.Root
	// Own are those of them that the image's lib folder holds.
	Own []elf.Provider
	// Members are the packages the roots are from, Base what the operand
	// holds, Offered what else is installed with the members.
	Members, Base, Offered []apt.Package
	// Known are the libraries of Base where all of them are known, so that
	// none of its packages is looked into; nil where they are not.
	Known []elf.Provider
	// Learn looks into packages.
	Learn Learner
}

// Answer is what an image must carry.
type Answer struct {
	elf.Closure
	// Libraries are the packages of the bundled libraries, sorted by name.
	Libraries []apt.Package
	// Base are the packages of the base that satisfied a need.
	Base []Satisfied
}

// Satisfied is a package of the base with the SONAMEs it was needed for.
type Satisfied struct {
	Package   apt.Package
	Libraries []string
}

// Search closes over what the roots need. It looks into a package only when
// one of its dependants needs a library nobody is known to have; packages
// whose name follows from the SONAME come first, see tiers.
func Search(ctx context.Context, in Input) (Answer, error) {
	s := &search{
		Input:   in,
		all:     newUniverse(in.Members, in.Base, in.Offered),
		objects: map[string][]elf.Provider{},
		base:    map[string]bool{},
	}
	for _, p := range in.Base {
		s.base[p.Name] = true
		if in.Known != nil {
			s.objects[p.Name] = nil
		}
	}
	for _, p := range in.Members {
		s.objects[p.Name] = nil // its files are roots; nothing else of it is offered
	}
	for {
		closure := elf.Close(s.input())
		batch := s.next(closure)
		if len(batch) == 0 {
			return s.answer(closure), nil
		}
		if err := s.learn(ctx, batch); err != nil {
			return Answer{}, err
		}
	}
}

type search struct {
	Input
	all  universe
	base map[string]bool
	// objects are the libraries of every package looked into.
	objects map[string][]elf.Provider
}

func (s *search) input() elf.Input {
	in := elf.Input{Arch: s.Arch, Roots: s.Roots, Own: s.Own, Base: slices.Clone(s.Known)}
	for name, providers := range s.objects {
		if s.base[name] {
			in.Base = append(in.Base, providers...)
		} else {
			in.Offered = append(in.Offered, providers...)
		}
	}
	return in
}

// next returns the packages to look into for what c misses, at most one tier
// a library, sorted by name.
func (s *search) next(c elf.Closure) []apt.Package {
	owners := s.owners(c)
	batch := map[string]apt.Package{}
	for _, m := range c.Missing {
		if m.Reason == elf.IsPath {
			continue
		}
		for _, p := range s.tier(m, owners) {
			batch[p.Name] = p
		}
	}
	out := make([]apt.Package, 0, len(batch))
	for _, p := range batch {
		out = append(out, p)
	}
	slices.SortFunc(out, byName)
	return out
}

func byName(a, b apt.Package) int { return strings.Compare(a.Name, b.Name) }

// owners maps the paths that have needs to their packages.
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

// tier returns the first tier that still has a package nobody looked into:
// the dependencies of the packages that need the library, by name and by
// section; then the whole universe, by name, by section, then the rest.
func (s *search) tier(m elf.Missing, owners map[string]string) []apt.Package {
	var direct []apt.Package
	for _, path := range m.NeededBy {
		if p, ok := s.all.byName[owners[path]]; ok {
			direct = append(direct, s.all.depends(p)...)
		}
	}
	conventional := func(p apt.Package) bool { return namedFor(p.Name, m.Library) }
	library := func(p apt.Package) bool { return section(p) == "libs" }
	anything := func(apt.Package) bool { return true }
	for _, t := range []struct {
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
		if unread := s.unread(t.from, t.keep); len(unread) > 0 {
			return unread
		}
	}
	return nil
}

func (s *search) unread(from []apt.Package, keep func(apt.Package) bool) []apt.Package {
	var out []apt.Package
	for _, p := range from {
		if _, done := s.objects[p.Name]; !done && canHoldLibrary(p) && keep(p) {
			out = append(out, p)
		}
	}
	return out
}

func (s *search) learn(ctx context.Context, batch []apt.Package) error {
	all, err := s.Learn(ctx, batch)
	if err != nil {
		return fmt.Errorf("looking for libraries: %w", err)
	}
	for i, c := range all {
		name := batch[i].Name
		s.objects[name] = []elf.Provider{}
		for path, o := range c.Objects {
			if o.Type == "dyn" {
				s.objects[name] = append(s.objects[name], elf.NewProvider(name, path, o))
			}
		}
	}
	return nil
}

func (s *search) answer(c elf.Closure) Answer {
	a := Answer{Closure: c}
	for _, p := range c.Bundled {
		a.Libraries = append(a.Libraries, s.all.byName[p.Package])
	}
	slices.SortFunc(a.Libraries, byName)
	a.Libraries = slices.CompactFunc(a.Libraries, func(x, y apt.Package) bool { return x.Name == y.Name })
	satisfied := map[string][]string{}
	for _, p := range c.FromBase {
		satisfied[p.Package] = append(satisfied[p.Package], p.SONAME)
	}
	for name, libraries := range satisfied {
		slices.Sort(libraries)
		a.Base = append(a.Base, Satisfied{s.all.byName[name], libraries})
	}
	slices.SortFunc(a.Base, func(x, y Satisfied) int { return byName(x.Package, y.Package) })
	return a
}
