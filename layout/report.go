package layout

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
)

// Action is what became of a file.
type Action string

// The actions. Rewritten files are placed, Bundled ones are libraries that
// ELF files need.
const (
	Placed    Action = "placed"
	Rewritten Action = "rewritten"
	Bundled   Action = "bundled"
	Dropped   Action = "dropped"
)

// Report accounts for every file of every package.
type Report struct {
	// Packages are in the order of their names.
	Packages []PackageReport `json:"packages"`
}

// PackageReport accounts for one package. Every file and link of it is in
// Files or in Dropped; a file may be in Files more than once.
type PackageReport struct {
	Package string        `json:"package"`
	Version string        `json:"version"`
	Source  string        `json:"source"`
	Role    Role          `json:"role"`
	Files   []FileReport  `json:"files"`
	Dropped []DropsReport `json:"dropped"`
}

// FileReport is a file that the image holds.
type FileReport struct {
	// Path is the path in the package.
	Path   string `json:"path"`
	Action Action `json:"action"`
	// To is the path in the image.
	To string `json:"to"`
	// Reason says why or how, where that is not plain from the action.
	Reason string `json:"reason,omitempty"`
	// NeededBy are the files of the image that name a bundled library.
	NeededBy []string `json:"neededBy,omitempty"`
}

// byAlternatives begins the reason of a link that a maintainer script would
// have made.
const byAlternatives = "link of update-alternatives"

// Changed reports whether the file is not what its package unpacks to: its text
// was rewritten, or only running a maintainer script would have made it.
func (f FileReport) Changed() bool {
	return f.Action == Rewritten || strings.HasPrefix(f.Reason, byAlternatives)
}

// DropsReport are the files left out for one reason.
type DropsReport struct {
	Reason string   `json:"reason"`
	Paths  []string `json:"paths"`
}

// Kept returns the entries about the image's file at path to.
func (r Report) Kept(to string) []FileReport {
	var out []FileReport
	for _, p := range r.Packages {
		for _, f := range p.Files {
			if f.To == to {
				out = append(out, f)
			}
		}
	}
	return out
}

// drops collects what was left out: package, reason, paths.
type drops map[string]map[string][]string

func (d drops) add(pkg, path, reason string) {
	if d[pkg] == nil {
		d[pkg] = map[string][]string{}
	}
	d[pkg][reason] = append(d[pkg][reason], path)
}

// report makes the report of what was placed and dropped.
func (a *arrangement) report(placed []placement) Report {
	files := map[string][]FileReport{}
	kept := map[filetree.Origin]bool{}
	keep := func(pkg, path string, p placement) {
		files[pkg] = append(files[pkg], FileReport{path, p.action, p.to, p.reason, p.neededBy})
		kept[filetree.Origin{Package: pkg, Path: path}] = true
	}
	for _, p := range placed {
		keep(p.pkg.Name, p.where(), p)
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

// sortedFiles returns the files by path and place; never nil.
func sortedFiles(files []FileReport) []FileReport {
	out := append([]FileReport{}, files...)
	slices.SortFunc(out, func(x, y FileReport) int {
		return cmp.Or(strings.Compare(x.Path, y.Path), strings.Compare(x.To, y.To))
	})
	return slices.CompactFunc(out, func(x, y FileReport) bool {
		return x.Path == y.Path && x.To == y.To && x.Action == y.Action && x.Reason == y.Reason
	})
}

// of returns the drops of a package by reason, without what was kept after
// all; never nil.
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
