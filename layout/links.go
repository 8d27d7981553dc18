package layout

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
)

// maxExpanded bounds how many files links to directories can become.
const maxExpanded = 100000

// follower gives the symlinks of the packages their form in the image.
type follower struct {
	*arrangement
	// places maps a file, by its path in the world, to its place.
	places map[string]string
	// folders maps a directory to its place, where all of it moved together.
	folders map[string]string
	out     []placement
}

// follow returns the links as they will be in the image: relative links
// between placed files, copies of files that have no place of their own, and
// findings where a link leads to nothing.
func (a *arrangement) follow(files, links []placement) ([]placement, error) {
	f := &follower{arrangement: a, places: map[string]string{}, folders: map[string]string{}}
	for _, p := range files {
		f.places[p.source.Path] = p.to
		f.learn(p)
	}
	for _, p := range links {
		if err := f.one(p); err != nil {
			return nil, err
		}
	}
	return f.out, nil
}

// learn notes which directories have moved as a whole, judged by one file.
func (f *follower) learn(p placement) {
	if p.action == Bundled && strings.HasPrefix(p.to, "system/") {
		return
	}
	from, to := path.Dir(p.source.Path), path.Dir(p.to)
	for from != f.in.pkglibdir() && from != f.in.sharedir() && path.Base(from) == path.Base(to) && strings.Contains(to, "/") {
		f.folders[from] = to
		from, to = path.Dir(from), path.Dir(to)
	}
	f.folders[from] = to
}

// one follows a single link.
func (f *follower) one(p placement) error {
	target, ok := f.world.Resolve(p.source.Path)
	switch {
	case !ok && strings.HasPrefix(p.to, "bin/"):
		f.leaveProgram(p, fmt.Sprintf("it is a link to /%s, which no package of the image has", f.target(p.source)))
		return nil
	case !ok && f.isChosen(p.source):
		f.find("PGX027", p.to, "", "%s: its target %s is not among the packages", p.pkg.Name, p.source.Link)
		return nil
	case !ok:
		f.find("PGX005", p.to, "", "%s: link to %s, which no package of the image has", p.pkg.Name, p.source.Link)
		return nil
	case target.Kind == filetree.Dir:
		return f.directory(p, target)
	}
	if place, ok := f.places[target.Path]; ok && place == p.to {
		if !f.isChosen(p.source) {
			f.dropped.add(p.pkg.Name, p.source.Path, "link to a file that takes its place")
		}
		return nil
	} else if ok {
		p.link = relative(p.to, place)
		if p.source.ModTime.IsZero() {
			p.source.ModTime = target.ModTime
		}
		f.out = append(f.out, p)
		return nil
	}
	return f.copy(p, target)
}

// copy puts the file that a link leads to in the link's place. A file that
// Input.Wants does not ask for has none: what is below /etc, say.
func (f *follower) copy(p placement, target filetree.Entry) error {
	link := p.source
	if _, absent := target.Content.(filetree.Absent); absent {
		why := fmt.Sprintf("link to /%s, which has no place in an extension image", target.Path)
		f.dropped.add(p.pkg.Name, link.Path, why)
		if p.pkg.Role == Extension {
			f.note("PGX022", p.pkg.Name, link.Path, why)
		}
		return nil
	}
	p.source = target
	if p.reason == "" {
		p.reason = fmt.Sprintf("the file that /%s links to", link.Path)
	}
	if strings.HasPrefix(p.to, "bin/") {
		why, err := f.cannotRun(p)
		if err != nil {
			return err
		}
		if why != "" {
			p.source = link
			f.leaveProgram(p, why)
			return nil
		}
	}
	if target.Content == nil {
		return fmt.Errorf("arranging %s: package %s: reading %s: no content", f.in.Name, p.pkg.Name, target.Path)
	}
	p.via = link.Path
	f.out = append(f.out, p)
	return nil
}

// directory follows a link to a directory: a link where the directory has a
// place, otherwise copies of what is in it.
func (f *follower) directory(p placement, target filetree.Entry) error {
	if place, ok := f.folders[target.Path]; ok {
		p.link = relative(p.to, place)
		f.out = append(f.out, p)
		return nil
	}
	for e := range f.world.Under(target.Path).All() {
		if e.Kind != filetree.File {
			continue
		}
		if len(f.out) > maxExpanded {
			return fmt.Errorf("arranging %s: package %s: links to directories give more than %d files", f.in.Name, p.pkg.Name, maxExpanded)
		}
		each := p
		rest, _ := below(e.Path, target.Path)
		each.to = path.Join(p.to, rest)
		if err := f.copy(each, e); err != nil {
			return err
		}
	}
	return nil
}

// isChosen reports whether e is a link of update-alternatives.
func (a *arrangement) isChosen(e filetree.Entry) bool {
	return slices.ContainsFunc(a.chosen, func(c filetree.Entry) bool { return c.Path == e.Path })
}

// relative returns the text of a link at from that leads to to; both are
// paths in the image.
func relative(from, to string) string {
	base := strings.Split(path.Dir(from), "/")
	if path.Dir(from) == "." {
		base = nil
	}
	parts := strings.Split(to, "/")
	for len(base) > 0 && len(parts) > 1 && base[0] == parts[0] {
		base, parts = base[1:], parts[1:]
	}
	return strings.Repeat("../", len(base)) + strings.Join(parts, "/")
}
