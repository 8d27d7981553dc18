package layout

import (
	"bytes"
	"fmt"
	"regexp"

	"github.com/pgext/pgext/internal/cnpg"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/metadata"
)

// Judgement is what the files of a finished image amount to.
type Judgement struct {
	// Extensions are those that CREATE EXTENSION can install, by name.
	Extensions []metadata.Extension
	// Unscripted are the extensions with a control file alone.
	Unscripted []string
	// Modules are the loadable modules in lib, without ".so"; Standalone those
	// of them that no control file and no script mentions.
	Modules, Standalone []string
	Findings            []finding.Finding
}

// loadLibdir matches LOAD '$libdir/…' at any depth of quoting. LOAD takes the
// name as it stands (load_file in src/backend/utils/fmgr/dfmgr.c), so it is not
// searched for in dynamic_library_path.
var loadLibdir = regexp.MustCompile(`\b(?i:LOAD)\s+'+\$libdir/`)

// Judge looks at the tree of an image that is arranged already, whoever did
// so. The control files and scripts below share must have a Content.
func Judge(tree filetree.Tree, postgres int) (Judgement, error) {
	a := &arrangement{in: Input{Name: "image", Postgres: postgres}, mentioned: map[string]bool{}}
	if err := a.judgeTexts(tree); err != nil {
		return Judgement{}, fmt.Errorf("judging an image: %w", err)
	}
	var j Judgement
	var err error
	if j.Extensions, j.Unscripted, err = a.extensions(tree); err != nil {
		return Judgement{}, fmt.Errorf("judging an image: %w", err)
	}
	j.Modules, j.Standalone = a.modules(tree)
	j.Findings = finding.Sort(a.findings)
	return j, nil
}

// judgeTexts reads what rewrite would have rewritten.
func (a *arrangement) judgeTexts(tree filetree.Tree) error {
	paths := relocation{
		mount: cnpg.MountPath(a.in.Name), places: map[string]bool{},
		sharedir: "/" + a.in.sharedir(), pkglibdir: "/" + a.in.pkglibdir(),
	}
	var modules []string
	for e := range tree.All() {
		paths.places[e.Path] = true
		if name, ok := moduleName(e.Path); ok {
			modules = append(modules, name)
		}
	}
	for e := range tree.All() {
		if e.Kind != filetree.File || !isScript(e.Path) && !isControl(e.Path) {
			continue
		}
		text, err := e.ReadAll(maxScript)
		if err != nil {
			return err
		}
		var c changes
		if isControl(e.Path) {
			a.mentionControl(text)
			c = paths.control(text)
		} else {
			a.mention(text, modules)
			c = paths.script(text)
		}
		a.judge(e.Path, text, c)
	}
	return nil
}

// judge reports what does not work at a mount.
func (a *arrangement) judge(path string, text []byte, c changes) {
	for _, left := range c.left {
		a.find(left.code, path, "", "%s", left.text)
	}
	loads := 0
	if bytes.Contains(text, []byte("$libdir/")) { // an expression takes a second for the scripts of PostGIS
		loads = len(loadLibdir.FindAllIndex(text, -1))
	}
	if loads > 0 {
		a.find("PGX023", path, "build the image from its package with pgext, which rewrites it",
			"%d × LOAD '$libdir/…', which looks in PostgreSQL's own directory only", loads)
	}
	if rest := c.libdir - loads; rest > 0 {
		a.find("PGX032", path, "", "%d × $libdir/", rest)
	}
	if c.paths > 0 {
		a.find("PGX024", path, "", "%d × path of the default location, to a file that is at the mount instead", c.paths)
	}
}
