package layout

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/alternatives"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
)

// arrangement is the state of one Arrange.
type arrangement struct {
	in       Input
	packages []Package
	// world is what the packages would look like installed together, the
	// links of update-alternatives included. Its entries have an Origin.
	world filetree.Tree
	// chosen are those links that lead from a path of an extension's package.
	chosen  []filetree.Entry
	dropped drops
	// noted groups what is worth a finding for a whole directory.
	noted    map[note][]string
	findings []finding.Finding
	mount    string
	// mentioned are the modules that a control file or a script names.
	mentioned map[string]bool
	// interpreters are the first lines of scripts that run in the base.
	interpreters []string
}

// placement is a file or link and its place in the image.
type placement struct {
	pkg *Package
	// source is the entry as the package has it; it may come from another
	// package than pkg when pkg has a link to it.
	source filetree.Entry
	// via is the link in pkg that led to source; "" when source is pkg's own.
	via string
	to  string
	// link is the target of a symlink in the image; "" for files.
	link   string
	action Action
	reason string
	// neededBy are the places of the files that name a bundled library.
	neededBy []string
	// rewritten replaces content, size and digest of the source.
	rewritten *rewritten
	// spare is true for the copy of a file that another package gave as well.
	spare bool
}

// note is a finding about the files of one directory.
type note struct{ code, pkg, dir, reason string }

// find adds a finding.
func (a *arrangement) find(code, path, hint, format string, args ...any) {
	a.findings = append(a.findings, finding.New(code, path, fmt.Sprintf(format, args...), hint))
}

// note groups a finding about a file with those about its neighbours.
func (a *arrangement) note(code, pkg, file, reason string) {
	n := note{code, pkg, path.Dir(file), reason}
	a.noted[n] = append(a.noted[n], file)
}

// assemble builds the world. Where packages share a path the first package
// wins; settle sees the rest.
func (a *arrangement) assemble() error {
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
	for _, e := range a.alternatives() {
		if !seen[e.Path] {
			seen[e.Path] = true
			entries = append(entries, e)
			a.chosen = append(a.chosen, e)
		}
	}
	world, err := filetree.New(entries)
	if err != nil {
		return fmt.Errorf("arranging %s: %w", a.in.Name, err)
	}
	a.world = world
	return nil
}

// alternatives returns the links that update-alternatives would make, by
// path; of several for one path the one with the highest priority.
func (a *arrangement) alternatives() []filetree.Entry {
	best := map[string]alternatives.Link{}
	owner := map[string]*Package{}
	for i := range a.packages {
		pkg := &a.packages[i]
		links, unread := alternatives.Parse(pkg.Scripts["postinst"], map[string]string{
			"DPKG_MAINTSCRIPT_PACKAGE": pkg.Name,
			"DPKG_MAINTSCRIPT_ARCH":    pkg.Arch,
		})
		if pkg.Role == Extension {
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

// packageOf returns the package called name.
func (a *arrangement) packageOf(name string) *Package {
	for i := range a.packages {
		if a.packages[i].Name == name {
			return &a.packages[i]
		}
	}
	return nil
}
