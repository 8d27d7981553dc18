package elf

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// Provider is a file that others may need.
type Provider struct {
	// Package and Path say where it is; Path is relative to the root.
	Package, Path string
	// SONAME is the name it is needed by: the object's own, or the file name
	// when it has none. Close fills it in when it is empty.
	SONAME string
	Object Object
}

// NewProvider returns the Provider for the object at file in pkg.
func NewProvider(pkg, file string, o Object) Provider {
	p := Provider{Package: pkg, Path: file, SONAME: o.SONAME, Object: o}
	if p.SONAME == "" {
		p.SONAME = path.Base(file)
	}
	return p
}

// Root is a file whose needs are to be met.
type Root struct {
	Package, Path string
	Object        Object
}

// Input is the input of Close. The order within its lists does not matter.
type Input struct {
	// Arch is the Debian architecture of the image.
	Arch string
	// Roots are the modules and programs of the image.
	Roots []Root
	// Own are the files in the image's lib folder. The loader finds them
	// there by file name, so that is what they count under, whatever their
	// SONAME; a link to one is listed by its own path.
	Own []Provider
	// Base are the libraries of the operand image.
	Base []Provider
	// Offered are libraries that may be bundled.
	Offered []Provider
}

// Closure says where everything comes from that the roots load. Lists of
// Providers are sorted by SONAME, lists of names are sorted.
type Closure struct {
	// Bundled are the libraries among Offered that the image must bring.
	Bundled []Provider
	// FromBase are those of Base that satisfy a need.
	FromBase []Provider
	// Siblings are those of Own that satisfy a need, which only works with
	// the image's lib folder in the library path.
	Siblings []Provider
	// NeededBy maps every library name met to the paths of the roots,
	// siblings and bundled libraries that need it.
	NeededBy map[string][]string
	// Missing are the libraries that nothing provides, by name.
	Missing []Missing
	// VersionGaps are the symbol versions that a provider lacks, by library
	// and version.
	VersionGaps []Gap
	// WrongArch are the roots for another architecture, whose needs are not
	// followed, and the providers passed over for that reason.
	WrongArch []Mismatch
}

// Reason reports why a library is missing.
type Reason string

// The reasons for which a library is missing.
const (
	// NotProvided: no file of the right architecture has this name.
	NotProvided Reason = "nothing provides it"
	// IsPath: NEEDED has a slash, which the loader takes for a path and finds
	// in no library folder.
	IsPath Reason = "it is needed by path, not by name"
	// OtherArch: there are files of this name for other architectures only.
	OtherArch Reason = "it is there for another architecture only"
)

// Missing is a library that nothing provides.
type Missing struct {
	Library  string
	NeededBy []string
	Reason   Reason
}

// Mismatch is a file for another architecture.
type Mismatch struct {
	Package, Path string
	// Arch is the file's own architecture, "" when it is unknown.
	Arch string
	// Library is the name that it would have provided; "" for a root.
	Library string
}

// Close resolves all that the roots need, breadth first.
//
// A name is looked up among Own, then Base, then Offered; the first that has
// it for the right architecture wins, and a whole process has one file for one
// name. Of several files the multiarch folder goes before /usr/lib, that
// before all others; then the package name decides, then the path. The needs
// of siblings and of bundled libraries are resolved in turn, those of Base are
// taken as met.
func Close(in Input) Closure {
	w := newWalk(in)
	for _, r := range slices.SortedFunc(slices.Values(in.Roots), compareRoots) {
		if r.Object.Arch != in.Arch {
			w.out.WrongArch = append(w.out.WrongArch, Mismatch{Package: r.Package, Path: r.Path, Arch: r.Object.Arch})
			continue
		}
		w.visit(r)
	}
	for len(w.queue) > 0 {
		r := w.queue[0]
		w.queue = w.queue[1:]
		for _, name := range r.Object.Needed {
			w.need(name, r.Path)
		}
	}
	return w.finish()
}

func compareRoots(a, b Root) int {
	return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.Path, b.Path))
}

// place is one of the lists that a name is looked up in.
type place struct {
	index  index
	chosen *[]Provider
	// follow reports that the needs of what is chosen here count too.
	follow bool
}

// walk is a closure in the making.
type walk struct {
	out    Closure
	places []place
	// queue holds what is still to be looked at, visited all that ever was
	// in it.
	queue, visited []Root
	seen           map[[2]string]bool
	// resolved holds the choice for every name met, nil for none.
	resolved map[string]*Provider
	// defined holds, by library name, the versions that the choice defines.
	defined map[string]map[string]bool
}

func newWalk(in Input) *walk {
	w := &walk{seen: map[[2]string]bool{}, resolved: map[string]*Provider{}, defined: map[string]map[string]bool{}}
	w.out.NeededBy = map[string][]string{}
	own := make([]Provider, len(in.Own))
	for i, p := range in.Own {
		p.SONAME = path.Base(p.Path)
		own[i] = p
	}
	w.places = []place{
		{newIndex(own, in.Arch), &w.out.Siblings, true},
		{newIndex(in.Base, in.Arch), &w.out.FromBase, false},
		{newIndex(in.Offered, in.Arch), &w.out.Bundled, true},
	}
	return w
}

// visit puts a file into the queue unless it has been there.
func (w *walk) visit(r Root) {
	key := [2]string{r.Package, r.Path}
	if w.seen[key] {
		return
	}
	w.seen[key] = true
	w.queue, w.visited = append(w.queue, r), append(w.visited, r)
}

// need resolves name, which the file at user needs.
func (w *walk) need(name, user string) {
	w.out.NeededBy[name] = append(w.out.NeededBy[name], user)
	if _, met := w.resolved[name]; met {
		return
	}
	w.resolved[name] = nil
	if strings.Contains(name, "/") {
		return
	}
	for _, pl := range w.places {
		for _, p := range pl.index.other[name] {
			w.out.WrongArch = append(w.out.WrongArch, Mismatch{p.Package, p.Path, p.Object.Arch, name})
		}
		p, ok := pl.index.best(name)
		if !ok || w.resolved[name] != nil {
			continue
		}
		w.resolved[name] = &p
		*pl.chosen = append(*pl.chosen, p)
		if pl.follow {
			w.visit(Root{p.Package, p.Path, p.Object})
		}
	}
}

// finish sorts the result and works out what is missing.
func (w *walk) finish() Closure {
	for _, pl := range w.places {
		slices.SortFunc(*pl.chosen, func(a, b Provider) int { return strings.Compare(a.SONAME, b.SONAME) })
	}
	for name, users := range w.out.NeededBy {
		slices.Sort(users)
		w.out.NeededBy[name] = slices.Compact(users)
		if w.resolved[name] == nil {
			w.out.Missing = append(w.out.Missing, Missing{name, w.out.NeededBy[name], w.reason(name)})
		}
	}
	slices.SortFunc(w.out.Missing, func(a, b Missing) int { return strings.Compare(a.Library, b.Library) })
	slices.SortFunc(w.out.WrongArch, func(a, b Mismatch) int {
		return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.Path, b.Path), strings.Compare(a.Library, b.Library))
	})
	w.out.WrongArch = slices.Compact(w.out.WrongArch)
	w.out.VersionGaps = w.gaps()
	return w.out
}

func (w *walk) reason(name string) Reason {
	if strings.Contains(name, "/") {
		return IsPath
	}
	for _, pl := range w.places {
		if len(pl.index.other[name]) > 0 {
			return OtherArch
		}
	}
	return NotProvided
}
