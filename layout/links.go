package layout

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
)

// maxExpanded limits the number of files copied for links to directories.
const maxExpanded = 100000

// follower computes the placements of symlinks.
type follower struct {
	*arrangement
	// places maps the installed path of a file to its place.
	places map[string]string
	// directories maps the installed path of a directory to its place.
	directories map[string]string
	out         []placement
}

// follow returns the placements of links: a relative link if the target has a
// place, otherwise a copy of the target. It reports links without a target.
func (a *arrangement) follow(files, links []placement) ([]placement, error) {
	f := &follower{arrangement: a, places: map[string]string{}, directories: map[string]string{}}
	for _, p := range files {
		f.places[p.source.Path] = p.to
		f.addDirectories(p)
	}
	for _, p := range links {
		if err := f.link(p); err != nil {
			return nil, err
		}
	}
	return f.out, nil
}

// addDirectories records the places of the directories above a file. It assumes
// that all files of a directory have the same new parent.
func (f *follower) addDirectories(p placement) {
	if p.action == Bundled && strings.HasPrefix(p.to, "system/") {
		return
	}
	from, to := path.Dir(p.source.Path), path.Dir(p.to)
	for from != f.in.pkglibdir() && from != f.in.sharedir() && path.Base(from) == path.Base(to) && strings.Contains(to, "/") {
		f.directories[from] = to
		from, to = path.Dir(from), path.Dir(to)
	}
	f.directories[from] = to
}

// link places a link.
func (f *follower) link(p placement) error {
	resolved, ok := f.installed.Resolve(p.source.Path)
	switch {
	case !ok && strings.HasPrefix(p.to, "bin/"):
		f.omitProgram(p, fmt.Sprintf("link to /%s, which no package of the image has", target(p.source)))
		return nil
	case !ok && f.isAlternative(p.source):
		f.find("PGX027", p.to, "", "%s: target %s not found in the packages", p.pkg.Name, p.source.Link)
		return nil
	case !ok:
		f.find("PGX005", p.to, "", "%s: link to %s, which no package of the image has", p.pkg.Name, p.source.Link)
		return nil
	case resolved.Kind == filetree.Dir:
		return f.linkDirectory(p, resolved)
	}
	if place, ok := f.places[resolved.Path]; ok && place == p.to {
		if !f.isAlternative(p.source) {
			f.dropped.add(p.pkg.Name, p.source.Path, "link replaced by its target")
		}
		return nil
	} else if ok {
		p.link = relative(p.to, place)
		if p.source.ModTime.IsZero() {
			p.source.ModTime = resolved.ModTime
		}
		f.out = append(f.out, p)
		return nil
	}
	return f.copy(p, resolved)
}

// copy places a copy of a link's target. It drops the link if Input.Wants returns
// false for the target, such as a file below /etc.
func (f *follower) copy(p placement, file filetree.Entry) error {
	link := p.source
	if _, absent := file.Content.(filetree.Absent); absent {
		reason := fmt.Sprintf("link to /%s, which has no place in an extension image", file.Path)
		f.dropped.add(p.pkg.Name, link.Path, reason)
		if p.pkg.Role == lock.Extension {
			f.findGrouped("PGX022", p.pkg.Name, link.Path, reason)
		}
		return nil
	}
	p.source = file
	if p.reason == "" {
		p.reason = fmt.Sprintf("target of the link /%s", link.Path)
	}
	if strings.HasPrefix(p.to, "bin/") {
		reason, err := f.cannotRun(p)
		if err != nil {
			return err
		}
		if reason != "" {
			p.source = link
			f.omitProgram(p, reason)
			return nil
		}
	}
	if file.Content == nil {
		return fmt.Errorf("arranging %s: package %s: reading %s: no content", f.in.Name, p.pkg.Name, file.Path)
	}
	p.via = link.Path
	f.out = append(f.out, p)
	return nil
}

// linkDirectory places a link to a directory: as a link if the directory has a
// place, otherwise as a copy of its files.
func (f *follower) linkDirectory(p placement, dir filetree.Entry) error {
	if place, ok := f.directories[dir.Path]; ok {
		p.link = relative(p.to, place)
		f.out = append(f.out, p)
		return nil
	}
	for e := range f.installed.Under(dir.Path).All() {
		if e.Kind != filetree.File {
			continue
		}
		if len(f.out) > maxExpanded {
			return fmt.Errorf("arranging %s: package %s: links to directories have more than %d files", f.in.Name, p.pkg.Name, maxExpanded)
		}
		each := p
		rest, _ := below(e.Path, dir.Path)
		each.to = path.Join(p.to, rest)
		if err := f.copy(each, e); err != nil {
			return err
		}
	}
	return nil
}

// isAlternative reports whether e is a link of update-alternatives.
func (a *arrangement) isAlternative(e filetree.Entry) bool {
	return slices.ContainsFunc(a.alternatives, func(c filetree.Entry) bool { return c.Path == e.Path })
}

// relative returns the relative target of a link at from to the path to. Both are
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
