package layout

import (
	"bytes"
	"fmt"
	"regexp"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/metadata"
)

// Contents are the extensions and modules in the files of an image. All lists are
// sorted.
type Contents struct {
	// Extensions are the extensions that CREATE EXTENSION can create, by name.
	Extensions []metadata.Extension
	// Unscripted are extensions with a control file and no install script that
	// leads to the default version.
	Unscripted []string
	// Modules are the loadable modules in lib, without ".so".
	Modules  []string
	Findings []finding.Finding
}

// loadLibdir matches LOAD '$libdir/…' in any number of quotes. LOAD does not
// search dynamic_library_path for such a name (load_file in
// src/backend/utils/fmgr/dfmgr.c).
var loadLibdir = regexp.MustCompile(`\b(?i:LOAD)\s+'+\$libdir/`)

// Analyze analyzes the tree of a finished image, including images that pgext did
// not build. Control files and scripts below share must have a Content.
func Analyze(tree filetree.Tree, postgres int) (Contents, error) {
	a := &arrangement{in: Input{Name: "image", Postgres: postgres}}
	if err := a.checkTexts(tree); err != nil {
		return Contents{}, fmt.Errorf("analyzing an image: %w", err)
	}
	c, err := a.contents(tree)
	if err != nil {
		return Contents{}, fmt.Errorf("analyzing an image: %w", err)
	}
	c.Findings = finding.Sort(a.findings)
	return c, nil
}

// contents returns the extensions and modules in tree, without findings.
func (a *arrangement) contents(tree filetree.Tree) (c Contents, err error) {
	c.Extensions, c.Unscripted, err = a.extensions(tree)
	c.Modules = modules(tree)
	return c, err
}

// checkTexts checks the control files and scripts that rewrite would change.
func (a *arrangement) checkTexts(tree filetree.Tree) error {
	paths := a.relocation()
	for e := range tree.All() {
		paths.places[e.Path] = true
	}
	for e := range tree.All() {
		rewrite := paths.forFile(e.Path)
		if e.Kind != filetree.File || rewrite == nil {
			continue
		}
		text, err := e.ReadAll(maxScript)
		if err != nil {
			return err
		}
		a.checkText(e.Path, text, rewrite(text))
	}
	return nil
}

// checkText reports names and paths that do not work at a mount.
func (a *arrangement) checkText(path string, text []byte, c changes) {
	for _, left := range c.left {
		a.find(left.code, path, "", "%s", left.text)
	}
	loads := 0
	if bytes.Contains(text, libdir) { // the regular expression takes a second for the scripts of PostGIS
		loads = len(loadLibdir.FindAllIndex(text, -1))
	}
	if loads > 0 {
		a.find("PGX023", path, "build the image from its package with pgext, which rewrites the statement",
			"%d × LOAD '$libdir/…', which PostgreSQL searches in its own library directory only", loads)
	}
	if rest := c.libdir - loads; rest > 0 {
		a.find("PGX032", path, "", "%d × $libdir/", rest)
	}
	if c.paths > 0 {
		a.find("PGX024", path, "", "%d × path of the default location to a file that is at the mount path", c.paths)
	}
}
