package layout

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
)

// Action is the action for a file of a package.
type Action string

// The actions. Rewritten files are placed with changes; Bundled files are libraries
// and data of other packages.
const (
	Placed    Action = "placed"
	Rewritten Action = "rewritten"
	Bundled   Action = "bundled"
	Dropped   Action = "dropped"
)

// Report lists every file of every package.
type Report struct {
	// Packages are sorted by name.
	Packages []PackageReport `json:"packages"`
}

// PackageReport lists the files of a package. Every file and link is in Files or in
// Dropped; a file with several places is in Files more than once.
type PackageReport struct {
	Package string        `json:"package"`
	Version string        `json:"version"`
	Source  string        `json:"source"`
	Role    lock.Role     `json:"role"`
	Files   []FileReport  `json:"files"`
	Dropped []DropsReport `json:"dropped"`
}

// FileReport is a file in the image.
type FileReport struct {
	// Path is the path in the package.
	Path   string `json:"path"`
	Action Action `json:"action"`
	// To is the path in the image.
	To string `json:"to"`
	// Reason explains the action; may be "".
	Reason string `json:"reason,omitempty"`
	// NeededBy are the files of the image that need a bundled file.
	NeededBy []string `json:"neededBy,omitempty"`
}

// byAlternatives is the prefix of the reason of a link that a maintainer script
// would create.
const byAlternatives = "link of update-alternatives"

// Changed reports whether the file differs from its package: it was rewritten, or a
// maintainer script would create it.
func (f FileReport) Changed() bool {
	return f.Action == Rewritten || strings.HasPrefix(f.Reason, byAlternatives)
}

// DropsReport lists the files dropped for one reason.
type DropsReport struct {
	Reason string   `json:"reason"`
	Paths  []string `json:"paths"`
}

// drops maps packages and reasons to dropped paths.
type drops map[string]map[string][]string

func (d drops) add(pkg, path, reason string) {
	if d[pkg] == nil {
		d[pkg] = map[string][]string{}
	}
	d[pkg][reason] = append(d[pkg][reason], path)
}

// report returns the report of the placements and drops.
func (a *arrangement) report(placed []placement) Report {
	files := map[string][]FileReport{}
	kept := map[filetree.Origin]bool{}
	keep := func(pkg, path string, p placement) {
		files[pkg] = append(files[pkg], FileReport{path, p.action, p.to, p.reason, p.neededBy})
		kept[filetree.Origin{Package: pkg, Path: path}] = true
	}
	for _, p := range placed {
		keep(p.pkg.Name, p.path(), p)
		if p.via != "" {
			keep(p.source.Origin.Package, p.source.Origin.Path, p)
		}
	}
	r := Report{Packages: make([]PackageReport, 0, len(a.packages))}
	for _, pkg := range a.packages {
		r.Packages = append(r.Packages, PackageReport{
			pkg.Name, pkg.Version, pkg.Source, pkg.Role,
			sortedFiles(files[pkg.Name]), a.dropped.of(pkg.Name, kept),
		})
	}
	slices.SortFunc(r.Packages, func(x, y PackageReport) int { return strings.Compare(x.Package, y.Package) })
	return r
}

// sortedFiles returns the distinct files sorted by path and place; never nil.
func sortedFiles(files []FileReport) []FileReport {
	out := append([]FileReport{}, files...)
	slices.SortFunc(out, func(x, y FileReport) int {
		return cmp.Or(strings.Compare(x.Path, y.Path), strings.Compare(x.To, y.To))
	})
	return slices.CompactFunc(out, func(x, y FileReport) bool {
		return x.Path == y.Path && x.To == y.To && x.Action == y.Action && x.Reason == y.Reason
	})
}

// of returns the drops of a package by reason, without paths in kept; never nil.
func (d drops) of(pkg string, kept map[filetree.Origin]bool) []DropsReport {
	out := []DropsReport{}
	for _, reason := range slices.Sorted(maps.Keys(d[pkg])) {
		paths := slices.DeleteFunc(slices.Clone(d[pkg][reason]), func(p string) bool {
			return kept[filetree.Origin{Package: pkg, Path: p}]
		})
		if len(paths) > 0 {
			slices.Sort(paths)
			out = append(out, DropsReport{reason, slices.Compact(paths)})
		}
	}
	return out
}
