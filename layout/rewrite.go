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

// maxScript bounds an SQL script, in bytes.
const maxScript = 256 << 20

// rewrite makes control files and scripts independent of the default
// location. What it leaves as it is becomes a finding.
func (a *arrangement) rewrite(placed []placement) error {
	places := map[string]bool{}
	var modules []string
	for _, p := range placed {
		for at := p.to; at != "." && !places[at]; at = path.Dir(at) {
			places[at] = true
		}
		if name, ok := moduleName(p.to); ok {
			modules = append(modules, name)
		}
	}
	paths := relocation{
		mount:  cnpg.MountPath(a.in.Name),
		places: places,
		// As scripts have them: absolute.
		sharedir: "/" + a.in.sharedir(), pkglibdir: "/" + a.in.pkglibdir(),
	}
	for i := range placed {
		p := &placed[i]
		if p.spare || p.link != "" || !isScript(p.to) && !isControl(p.to) {
			continue
		}
		text, err := p.source.ReadAll(maxScript)
		if err != nil {
			return fmt.Errorf("arranging %s: package %s: %w", a.in.Name, p.pkg.Name, err)
		}
		rewrite := paths.script
		if isControl(p.to) {
			a.mentionControl(text)
			rewrite = paths.control
		} else {
			a.mention(text, modules)
		}
		a.accept(p, rewrite(text), rewrite)
	}
	return nil
}

// accept applies the changes to a placement, or reports them.
func (a *arrangement) accept(p *placement, c changes, rewrite func([]byte) changes) {
	for _, left := range c.left {
		a.find(left.code, p.to, "", "%s", left.text)
	}
	if c.libdir+c.paths == 0 {
		return
	}
	if a.in.KeepPaths {
		if c.libdir > 0 {
			a.find("PGX023", p.to, "", "%d times $libdir/, left as it is because the recipe says so", c.libdir)
		}
		if c.paths > 0 {
			a.find("PGX024", p.to, "", "%d paths of the default location, left as they are because the recipe says so", c.paths)
		}
		return
	}
	p.rewritten = newRewritten(p.source, c.text, rewrite)
	p.action, p.reason = Rewritten, c.String()
	if c.paths > 0 {
		a.mount = cnpg.MountPath(a.in.Name)
	}
}

// rewritten is the content of a rewritten script. It is made again from the source
// whenever it is opened, so that a layout holds no file contents.
type rewritten struct {
	source  filetree.Entry
	rewrite func(text []byte) changes
	size    int64
	sha256  string
}

func newRewritten(source filetree.Entry, text []byte, rewrite func([]byte) changes) *rewritten {
	return &rewritten{source, rewrite, int64(len(text)), digest.SHA256(text)}
}

// Open implements filetree.Content.
func (r rewritten) Open() (io.ReadCloser, error) {
	text, err := r.source.ReadAll(maxScript)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(r.rewrite(text).text)), nil
}

// mention notes which modules the text names, as a whole quoted string or as
// the end of one that is a path.
func (a *arrangement) mention(text []byte, modules []string) {
	for _, m := range modules {
		for _, form := range []string{"'" + m + "'", "/" + m + "'", "'" + m + ".so'", "/" + m + ".so'"} {
			if !a.mentioned[m] && bytes.Contains(text, []byte(form)) {
				a.mentioned[m] = true
			}
		}
	}
}

// mentionControl notes the module that a control file names.
func (a *arrangement) mentionControl(text []byte) {
	settings, err := parseControl(string(text))
	if err != nil {
		return // extensions reports it
	}
	for _, s := range settings {
		if s.name == "module_pathname" {
			a.mentioned[strings.TrimSuffix(path.Base(s.value), ".so")] = true
		}
	}
}

// isScript reports whether the image's file at p is read by psql or CREATE
// EXTENSION.
func isScript(p string) bool { return strings.HasPrefix(p, "share/") && path.Ext(p) == ".sql" }

// isControl reports whether the image's file at p is a control file, also a
// secondary one. Those can be in another directory of share.
func isControl(p string) bool { return strings.HasPrefix(p, "share/") && path.Ext(p) == ".control" }

// moduleName returns the name of the loadable module at p of the image.
func moduleName(p string) (string, bool) {
	name, ok := strings.CutSuffix(p, ".so")
	return path.Base(name), ok && path.Dir(p) == "lib"
}

// modules returns the modules of the image and those that nothing mentions.
func (a *arrangement) modules(tree filetree.Tree) (all, standalone []string) {
	for e := range tree.Under("lib").All() {
		name, ok := moduleName(e.Path)
		if !ok || e.Kind == filetree.Dir {
			continue
		}
		all = append(all, name)
		if !a.mentioned[name] {
			standalone = append(standalone, name)
		}
	}
	return all, standalone
}
