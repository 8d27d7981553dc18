package layout

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
)

// result assembles the Result from the placements.
func (a *arrangement) result(placed []placement) (Result, error) {
	var r Result
	var err error
	if r.Extension, r.Libraries, err = a.trees(placed); err != nil {
		return Result{}, err
	}
	if r.Contents, err = a.contents(r.Extension); err != nil {
		return Result{}, err
	}
	if r.Extension, r.Libraries, err = a.database(r.Extension, r.Libraries); err != nil {
		return Result{}, err
	}
	r.Given, r.Epoch = a.used(placed)
	slices.Sort(a.interpreters)
	r.Interpreters = slices.Compact(a.interpreters)
	if r.Licenses, err = a.licenses(placed); err != nil {
		return Result{}, err
	}
	a.searchPaths(&r)
	r.Mount = a.mount
	r.Report = a.report(placed)
	a.addGrouped(placed)
	r.Findings = finding.Sort(a.findings)
	return r, nil
}

// used returns the names of the packages with a file in the image, and the newest
// modification time of all files in these packages.
func (a *arrangement) used(placed []placement) ([]string, time.Time) {
	sources := sourcePackages(placed)
	var names []string
	var epoch time.Time
	for _, p := range a.packages {
		if !sources[p.Name] {
			continue
		}
		names = append(names, p.Name)
		if newest := p.Tree.Newest(); newest.After(epoch) {
			epoch = newest
		}
	}
	slices.Sort(names)
	return names, epoch
}

// searchPaths sets the path lists of the metadata label.
func (a *arrangement) searchPaths(r *Result) {
	has := func(dir string) bool {
		return r.Extension.Under(dir).Len()+r.Libraries.Under(dir).Len() > 0
	}
	if has(controlDir) {
		r.ExtensionControlPath = []string{"share"}
	}
	if has("lib") {
		r.DynamicLibraryPath = []string{"lib"}
	}
	if has("system") {
		r.LDLibraryPath = append(r.LDLibraryPath, "system")
	}
	if a.in.Siblings {
		r.LDLibraryPath = append(r.LDLibraryPath, "lib")
	}
	if has("bin") {
		r.BinPath = []string{"bin"}
	}
}

// addGrouped adds one finding for the files of a directory with the same code and
// reason. It ignores files that a link placed in the image.
func (a *arrangement) addGrouped(placed []placement) {
	used := map[filetree.Origin]bool{}
	for _, p := range placed {
		used[p.source.Origin] = true
	}
	for g, files := range a.grouped {
		if g.code == "PGX020" {
			a.find(g.code, g.dir, fixedDirHint(g.dir), "PostgreSQL searches for this kind of file in its own directory only: %s", fileList(files))
			continue
		}
		files = slices.DeleteFunc(slices.Clone(files), func(f string) bool {
			return used[filetree.Origin{Package: g.pkg, Path: f}]
		})
		if len(files) > 0 {
			a.find(g.code, g.dir, "", "%s: %s: %s", g.pkg, g.reason, fileList(files))
		}
	}
}

// fixedDirHint returns the hint of PGX020 for a directory.
func fixedDirHint(dir string) string {
	switch {
	case dir == "lib/plugins":
		return "local_preload_libraries, and LOAD by users other than superusers, do not find the module; shared_preload_libraries and session_preload_libraries find it in lib"
	case strings.HasPrefix(dir, "lib/bitcode"):
		return "set bitcode: false in the recipe; the server runs the same code without the files"
	}
	return "features that use the file work only if the operand image has it too"
}

// fileList returns the base names of the first three files.
func fileList(files []string) string {
	const limit = 3
	var names []string
	for _, f := range slices.Sorted(slices.Values(files)) {
		names = append(names, path.Base(f))
	}
	if len(names) > limit {
		names = append(names[:limit], "…")
	}
	return strings.Join(names, ", ")
}
