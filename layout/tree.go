package layout

import (
	"fmt"
	"path"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
)

// trees returns the two layers of the placements.
func (a *arrangement) trees(placed []placement) (extension, libraries filetree.Tree, err error) {
	var own, others []filetree.Entry
	for _, p := range placed {
		if p.duplicate {
			continue
		}
		e, err := p.entry()
		if err != nil {
			return extension, libraries, fmt.Errorf("arranging %s: package %s: %w", a.in.Name, p.pkg.Name, err)
		}
		if p.pkg.Role == lock.Extension {
			own = append(own, e)
		} else {
			others = append(others, e)
		}
	}
	if extension, err = layer(own); err != nil {
		return extension, libraries, fmt.Errorf("arranging %s: %w", a.in.Name, err)
	}
	if libraries, err = layer(others); err != nil {
		return extension, libraries, fmt.Errorf("arranging %s: %w", a.in.Name, err)
	}
	return extension, libraries, nil
}

// entry returns the entry in the image. Its mode is 0644, 0755 for programs or 0777
// for links; it is never setuid.
func (p placement) entry() (filetree.Entry, error) {
	e := filetree.Entry{
		Path: p.to, Kind: filetree.File, Mode: 0o644, ModTime: p.source.ModTime,
		Size: p.source.Size, SHA256: p.source.SHA256, Origin: p.source.Origin, Content: p.source.Content,
	}
	if p.link != "" {
		e.Kind, e.Mode, e.Link = filetree.Symlink, 0o777, p.link
		e.Size, e.SHA256, e.Content = 0, "", nil
		return e, nil
	}
	if e.Content == nil {
		return e, fmt.Errorf("reading %s: no content", p.source.Path)
	}
	if strings.HasPrefix(p.to, "bin/") {
		e.Mode = 0o755
	}
	if p.rewritten != nil {
		e.Size, e.SHA256, e.Content = p.rewritten.size, p.rewritten.sha256, *p.rewritten
	}
	return e, nil
}

// layer returns the tree of entries and their parent directories, with the
// modification time of the newest file. It omits directories that collide with a
// file; resolveCollisions reports them.
func layer(entries []filetree.Entry) (filetree.Tree, error) {
	files, err := filetree.New(entries)
	if err != nil {
		return filetree.Tree{}, err
	}
	newest := files.Newest()
	dirs := map[string]bool{}
	var all []filetree.Entry
	for e := range files.All() {
		all = append(all, e)
		for dir := path.Dir(e.Path); dir != "." && !dirs[dir]; dir = path.Dir(dir) {
			dirs[dir] = true
			if _, taken := files.Get(dir); !taken {
				all = append(all, filetree.Entry{Path: dir, Kind: filetree.Dir, Mode: 0o755, ModTime: newest})
			}
		}
	}
	return filetree.New(all)
}
