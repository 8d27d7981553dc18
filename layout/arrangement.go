package layout

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/alternatives"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
)

// arrangement is the state of Arrange.
type arrangement struct {
	in       Input
	packages []Package
	// installed is the file system of all packages installed together, with the
	// links of update-alternatives. Its entries have an Origin.
	installed filetree.Tree
	// alternatives are the links of update-alternatives in installed.
	alternatives []filetree.Entry
	dropped      drops
	// grouped collects the files of findings about a directory.
	grouped  map[group][]string
	findings []finding.Finding
	mount    string
	// interpreters are the first lines of scripts that run in the base.
	interpreters []string
}

// placement is a file or link and its place in the image.
type placement struct {
	pkg *Package
	// source is the entry in its package, which is not pkg if pkg has a link to
	// a file of another package.
	source filetree.Entry
	// via is the path of the link in pkg to source; "" if source is in pkg.
	via string
	// to is the path in the image.
	to string
	// link is the target of a symlink in the image; "" for files.
	link   string
	action Action
	reason string
	// neededBy are the files of the image that need a bundled library.
	neededBy []string
	// rewritten replaces content, size and digest of the source.
	rewritten *rewritten
	// duplicate is true if another package has a file for the same place, which
	// is used instead.
	duplicate bool
}

// group identifies a finding about several files of one directory.
type group struct{ code, pkg, dir, reason string }

// find adds a finding.
func (a *arrangement) find(code, path, hint, format string, args ...any) {
	a.findings = append(a.findings, finding.New(code, path, fmt.Sprintf(format, args...), hint))
}

// findGrouped adds a file to a finding about its directory.
func (a *arrangement) findGrouped(code, pkg, file, reason string) {
	g := group{code, pkg, path.Dir(file), reason}
	a.grouped[g] = append(a.grouped[g], file)
}

// merge sets installed and alternatives. If packages have the same path, it uses
// the first package; resolveCollisions reports collisions.
func (a *arrangement) merge() error {
	seen := map[string]bool{}
	var entries []filetree.Entry
	for i := range a.packages {
		pkg := &a.packages[i]
		for e := range pkg.Tree.All() {
			if seen[e.Path] {
				continue
			}
			seen[e.Path] = true
			e.Origin = filetree.Origin{Package: pkg.Name, Path: e.Path}
			entries = append(entries, e)
		}
	}
	for _, e := range a.readAlternatives() {
		if !seen[e.Path] {
			seen[e.Path] = true
			entries = append(entries, e)
			a.alternatives = append(a.alternatives, e)
		}
	}
	var err error
	if a.installed, err = filetree.New(entries); err != nil {
		return fmt.Errorf("arranging %s: %w", a.in.Name, err)
	}
	return nil
}

// readAlternatives returns the links that update-alternatives would create, by
// path. If there are several for one path, it returns the one with the highest
// priority.
func (a *arrangement) readAlternatives() []filetree.Entry {
	best := map[string]alternatives.Link{}
	owner := map[string]*Package{}
	for i := range a.packages {
		pkg := &a.packages[i]
		links, unread := alternatives.Parse(pkg.Scripts["postinst"], map[string]string{
			"DPKG_MAINTSCRIPT_PACKAGE": pkg.Name,
			"DPKG_MAINTSCRIPT_ARCH":    pkg.Arch,
		})
		if pkg.Role == lock.Extension {
			for _, u := range unread {
				a.find("PGX027", "", "", "%s: postinst line %d: %s", pkg.Name, u.Line, u.Reason)
			}
		}
		for _, l := range links {
			if old, ok := best[l.Path]; !ok || l.Priority > old.Priority {
				best[l.Path], owner[l.Path] = l, pkg
			}
		}
	}
	var entries []filetree.Entry
	for p, l := range best {
		entries = append(entries, filetree.Entry{
			Path: strings.TrimPrefix(p, "/"), Kind: filetree.Symlink, Mode: 0o777, Link: l.Target,
			Origin: filetree.Origin{Package: owner[p].Name, Path: strings.TrimPrefix(p, "/")},
		})
	}
	slices.SortFunc(entries, func(x, y filetree.Entry) int { return strings.Compare(x.Path, y.Path) })
	return entries
}

// packageOf returns the package with the given name, nil if there is none.
func (a *arrangement) packageOf(name string) *Package {
	for i := range a.packages {
		if a.packages[i].Name == name {
			return &a.packages[i]
		}
	}
	return nil
}
