package layout

import (
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
)

// result puts together what the placements amount to.
func (a *arrangement) result(placed []placement) (Result, error) {
	var r Result
	var err error
	if r.Extension, r.Libraries, err = a.trees(placed); err != nil {
		return Result{}, err
	}
	if r.Extensions, r.Unscripted, err = a.extensions(r.Extension); err != nil {
		return Result{}, err
	}
	r.Modules, r.Standalone = a.modules(r.Extension)
	if r.Extension, r.Libraries, err = a.database(r.Extension, r.Libraries); err != nil {
		return Result{}, err
	}
	r.Given, r.Epoch = a.given(placed)
	slices.Sort(a.interpreters)
	r.Interpreters = slices.Compact(a.interpreters)
	if r.Licenses, err = a.licenses(placed); err != nil {
		return Result{}, err
	}
	a.searchPaths(&r)
	r.Mount = a.mount
	r.Report = a.report(placed)
	a.findNoted(placed)
	r.Findings = finding.Sort(a.findings)
	return r, nil
}

// given returns the packages that gave a file and the newest modification
// time among all of theirs.
func (a *arrangement) given(placed []placement) ([]string, time.Time) {
	gave := givers(placed)
	var names []string
	var epoch time.Time
	for _, p := range a.packages {
		if !gave[p.Name] {
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

// searchPaths says where the consumer has to look.
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

// findNoted makes one finding for the files of one directory that share a
// fate. A file that a link brought into the image after all does not count.
func (a *arrangement) findNoted(placed []placement) {
	used := map[filetree.Origin]bool{}
	for _, p := range placed {
		used[p.source.Origin] = true
	}
	for n, files := range a.noted {
		if n.code == "PGX020" {
			a.find(n.code, n.dir, inPlaceHint(n.dir), "PostgreSQL looks for this kind of file in its own directory only: %s", listed(files))
			continue
		}
		files = slices.DeleteFunc(slices.Clone(files), func(f string) bool {
			return used[filetree.Origin{Package: n.pkg, Path: f}]
		})
		if len(files) > 0 {
			a.find(n.code, n.dir, "", "%s: %s: %s", n.pkg, n.reason, listed(files))
		}
	}
}

// inPlaceHint says what is lost with a folder that PostgreSQL looks for in its
// own directory only, or what to do.
func inPlaceHint(dir string) string {
	switch {
	case dir == "lib/plugins":
		return "local_preload_libraries, and LOAD by users who are no superusers, do not find it; shared_preload_libraries and session_preload_libraries find the module in lib"
	case strings.HasPrefix(dir, "lib/bitcode"):
		return "leave it out (bitcode: false): a server without it runs the same code"
	}
	return "what uses it works only where the operand image has the file too"
}

// listed names the first few of the files.
func listed(files []string) string {
	const shown = 3
	names := make([]string, 0, shown+1)
	sorted := slices.Sorted(slices.Values(files))
	for i, f := range sorted {
		if i == shown {
			names = append(names, "…")
			break
		}
		names = append(names, f[strings.LastIndexByte(f, '/')+1:])
	}
	return strings.Join(names, ", ")
}
