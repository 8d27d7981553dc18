package layout

import (
	"fmt"
	"path"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/metadata"
)

// controlDir is the directory of control files in an image.
const controlDir = "share/extension"

// extensions reads the control files of the image. It returns the extensions that
// CREATE EXTENSION can create, and the names of extensions without install script.
func (a *arrangement) extensions(tree filetree.Tree) (found []metadata.Extension, unscripted []string, err error) {
	aliased := linked(tree)
	for e := range tree.Under(controlDir).All() {
		name, ok := strings.CutSuffix(path.Base(e.Path), ".control")
		if !ok || path.Dir(e.Path) != controlDir || strings.Contains(name, "--") {
			continue
		}
		c, ok, err := a.readControl(tree, e.Path, control{}, false)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			continue
		}
		dir := scriptDir(c.directory)
		if !readUpdates(name, fileNames(tree, dir)).reaches(c.defaultVersion) {
			if !aliased[e.Path] {
				unscripted = append(unscripted, name)
				a.find("PGX031", e.Path, "", "%s", unscriptedText(name, dir, c.defaultVersion))
			}
			continue
		}
		c, _, err = a.readControl(tree, fmt.Sprintf("%s/%s--%s.control", dir, name, c.defaultVersion), c, true)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, metadata.Extension{
			Name: name, Version: c.defaultVersion, Requires: c.requires,
			Relocatable: c.relocatable, Trusted: c.trusted, Schema: c.schema,
		})
	}
	return found, unscripted, nil
}

// linked returns the control files that are targets of links. They are found under
// the names of the links.
func linked(tree filetree.Tree) map[string]bool {
	targets := map[string]bool{}
	for e := range tree.Under(controlDir).All() {
		if e.Kind != filetree.Symlink {
			continue
		}
		if target, ok := tree.Resolve(e.Path); ok {
			targets[target.Path] = true
		}
	}
	return targets
}

// unscriptedText returns the text of PGX031.
func unscriptedText(name, dir, version string) string {
	if version == "" {
		return name + " has no default_version"
	}
	return fmt.Sprintf("no script in %s installs version %q of %s", dir, version, name)
}

// readControl applies the control file at p to c. It returns false if there is
// none, or if it has a syntax error.
func (a *arrangement) readControl(tree filetree.Tree, p string, c control, secondary bool) (control, bool, error) {
	e, ok := tree.Resolve(p)
	if !ok || e.Kind != filetree.File {
		return c, false, nil
	}
	text, err := e.ReadAll(maxControl)
	if err != nil {
		return c, false, fmt.Errorf("arranging %s: %w", a.in.Name, err)
	}
	settings, err := parseControl(string(text))
	if err != nil {
		a.find("PGX025", p, "", "%v", err)
		return c, false, nil
	}
	for _, refused := range c.apply(settings, secondary) {
		a.find("PGX025", p, "", "%s", refused)
	}
	return c, true, nil
}

// scriptDir returns the directory of an extension's scripts: controlDir, or the
// parameter directory relative to share. An absolute directory does not exist in the
// image.
func scriptDir(directory string) string {
	if directory == "" {
		return controlDir
	}
	return path.Join("share", path.Clean("/"+directory))
}

// fileNames returns the names of the entries in dir, without subdirectories'
// contents.
func fileNames(tree filetree.Tree, dir string) []string {
	var names []string
	for e := range tree.Under(dir).All() {
		if path.Dir(e.Path) == dir {
			names = append(names, path.Base(e.Path))
		}
	}
	return names
}
