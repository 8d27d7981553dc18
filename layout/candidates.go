package layout

import (
	"cmp"
	"fmt"
	"path"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
)

// selection collects placements. Symlinks are separate, because their targets can
// be computed only after all files have a place.
type selection struct {
	files, links []placement
	// library maps the origin of a library to bundle to its SONAME.
	library map[filetree.Origin]string
	// used counts the files that match each data mapping.
	used []int
}

func (s *selection) put(p placement, to string, action Action, reason string) {
	p.to, p.action, p.reason = to, action, reason
	if p.source.Kind == filetree.Symlink {
		s.links = append(s.links, p)
	} else {
		s.files = append(s.files, p)
	}
}

// candidates selects the files and links of the packages to place. It drops all
// others.
func (a *arrangement) candidates() (files, links []placement, err error) {
	s := &selection{library: map[filetree.Origin]string{}, used: make([]int, len(a.in.Data))}
	for _, l := range a.in.Libraries {
		s.library[filetree.Origin{Package: l.Package, Path: l.Path}] = l.SONAME
	}
	for i := range a.packages {
		pkg := &a.packages[i]
		for e := range pkg.Tree.All() {
			if e.Kind == filetree.Dir {
				continue
			}
			e.Origin = filetree.Origin{Package: pkg.Name, Path: e.Path}
			a.choose(s, placement{pkg: pkg, source: e})
		}
	}
	for _, e := range a.alternatives {
		pkg := a.packageOf(e.Origin.Package)
		if v := a.in.route(e.Path); pkg.Role == lock.Extension && v.to != "" {
			s.put(placement{pkg: pkg, source: e}, v.to, Placed, byAlternatives+" to /"+target(e))
		}
	}
	return s.files, s.links, a.unmatched(s)
}

// choose adds a placement for each place of a file, or drops the file.
func (a *arrangement) choose(s *selection, p placement) {
	before := len(s.files) + len(s.links)
	if soname, ok := s.library[p.source.Origin]; ok {
		delete(s.library, p.source.Origin)
		p.neededBy = a.in.NeededBy[soname]
		s.put(p, "system/"+soname, Bundled, "library missing in the base")
	}
	for i, d := range a.in.Data {
		if rest, ok := below(p.source.Path, d.From); ok && d.Package == p.pkg.Name {
			s.used[i]++
			p.neededBy = d.NeededBy
			s.put(p, path.Join(d.To, rest), Bundled, cmp.Or(d.Reason, "bundle.data in the recipe"))
		}
	}
	if len(s.files)+len(s.links) > before {
		return
	}
	if p.pkg.Role != lock.Extension {
		a.dropped.add(p.pkg.Name, p.source.Path, "not needed")
		return
	}
	v := a.in.route(p.source.Path)
	if v.to == "" {
		a.dropped.add(p.pkg.Name, p.source.Path, v.reason)
		if v.code != "" {
			a.findGrouped(v.code, p.pkg.Name, p.source.Path, v.reason)
		}
		return
	}
	if v.code != "" {
		a.findGrouped(v.code, "", v.to, "")
	}
	s.put(p, v.to, Placed, "")
	if base := a.in.BaseHas; base != nil && v.to != p.source.Path && base(p.source.Path) {
		a.find("PGX028", v.to, "", "PostgreSQL uses /%s of the base instead", p.source.Path)
	}
}

// unmatched returns an error for libraries and data that no package contains.
func (a *arrangement) unmatched(s *selection) error {
	for _, l := range a.in.Libraries {
		if _, ok := s.library[filetree.Origin{Package: l.Package, Path: l.Path}]; ok {
			return fmt.Errorf("arranging %s: library %s: package %s has no such file", a.in.Name, l.Path, l.Package)
		}
	}
	for i, n := range s.used {
		if d := a.in.Data[i]; n == 0 {
			return fmt.Errorf("arranging %s: data of package %s: the package has no files at %q", a.in.Name, d.Package, d.From)
		}
	}
	return nil
}

// target returns the target of a symlink relative to the root, unresolved.
func target(e filetree.Entry) string {
	if path.IsAbs(e.Link) {
		return path.Clean(e.Link)[1:]
	}
	return path.Join("/", path.Dir(e.Path), e.Link)[1:]
}
