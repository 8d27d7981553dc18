package layout

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/pgext/pgext/internal/cnpg"
	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/filetree"
)

// maxScript limits the size of an SQL script, in bytes.
const maxScript = 256 << 20

// rewrite makes control files and scripts independent of the default location. It
// reports names and paths that it cannot rewrite.
func (a *arrangement) rewrite(placed []placement) error {
	paths := a.relocation()
	for _, p := range placed {
		for at := p.to; at != "." && !paths.places[at]; at = path.Dir(at) {
			paths.places[at] = true
		}
	}
	for i := range placed {
		p := &placed[i]
		rewrite := paths.forFile(p.to)
		if p.duplicate || p.link != "" || rewrite == nil {
			continue
		}
		text, err := p.source.ReadAll(maxScript)
		if err != nil {
			return fmt.Errorf("arranging %s: package %s: %w", a.in.Name, p.pkg.Name, err)
		}
		a.apply(p, rewrite(text), rewrite)
	}
	return nil
}

// relocation returns the rewriter of scripts and control files, with no places.
func (a *arrangement) relocation() relocation {
	return relocation{
		mount: cnpg.MountPath(a.in.Name), places: map[string]bool{},
		sharedir: "/" + a.in.sharedir(), pkglibdir: "/" + a.in.pkglibdir(),
	}
}

// apply applies the changes of a rewrite to a placement. With KeepPaths it only
// reports them.
func (a *arrangement) apply(p *placement, c changes, rewrite func([]byte) changes) {
	for _, left := range c.left {
		a.find(left.code, p.to, "", "%s", left.text)
	}
	if c.libdir+c.paths == 0 {
		return
	}
	if a.in.KeepPaths {
		if c.libdir > 0 {
			a.find("PGX023", p.to, "", "%d × $libdir/, unchanged because of rewrite: none in the recipe", c.libdir)
		}
		if c.paths > 0 {
			a.find("PGX024", p.to, "", "%d × path of the default location, unchanged because of rewrite: none in the recipe", c.paths)
		}
		return
	}
	p.rewritten = &rewritten{p.source, rewrite, int64(len(c.text)), digest.SHA256(c.text)}
	p.action, p.reason = Rewritten, c.String()
	if c.paths > 0 {
		a.mount = cnpg.MountPath(a.in.Name)
	}
}

// rewritten is the content of a rewritten file. Open rewrites the source again, so
// that a layout does not keep file contents in memory.
type rewritten struct {
	source  filetree.Entry
	rewrite func(text []byte) changes
	size    int64
	sha256  string
}

// Open implements filetree.Content.
func (r rewritten) Open() (io.ReadCloser, error) {
	text, err := r.source.ReadAll(maxScript)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(r.rewrite(text).text)), nil
}

// forFile returns the function that rewrites the file at path p of the image; nil
// if it is neither an SQL script nor a control file. Secondary control files can be
// in any directory below share.
func (r relocation) forFile(p string) func([]byte) changes {
	switch {
	case !strings.HasPrefix(p, "share/"):
		return nil
	case path.Ext(p) == ".sql":
		return r.script
	case path.Ext(p) == ".control":
		return r.control
	}
	return nil
}

// modules returns the names of the loadable modules in lib, without ".so".
func modules(tree filetree.Tree) []string {
	var all []string
	for e := range tree.Under("lib").All() {
		name, ok := strings.CutSuffix(e.Path, ".so")
		if ok && e.Kind != filetree.Dir && path.Dir(e.Path) == "lib" {
			all = append(all, path.Base(name))
		}
	}
	return all
}
