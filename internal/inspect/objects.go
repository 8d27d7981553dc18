package inspect

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// judgeObjects looks at the ELF files: their machine, and what they need.
func (x *examination) judgeObjects() {
	for e := range x.Tree.All() {
		o, ok := x.object(e)
		if text := x.facts.malformed[e.SHA256]; text != "" && e.Kind == filetree.File {
			x.find("PGX003", e.Path, text, "")
		}
		if !ok || o.Type != "dyn" && o.Type != "exec" {
			continue
		}
		owner := x.Owner[e.Path]
		x.Libraries = append(x.Libraries, Library{
			Path: e.Path, SONAME: o.SONAME, Arch: o.Arch, Size: e.Size,
			Package: owner, Version: x.version(owner), Needed: o.Needed,
		})
		x.Roots = append(x.Roots, elf.Root{Package: owner, Path: e.Path, Object: o})
	}
	x.libraryPath()
	x.gatherOwn()
	x.findUnknown()
	closed := elf.Close(elf.Input{Arch: x.Arch, Roots: x.Roots, Own: x.Own})
	for _, w := range closed.WrongArch {
		if w.Library == "" {
			x.find("PGX003", w.Path, fmt.Sprintf("is an ELF file for %s in an image for %s", elf.Machine(w.Arch), elf.Machine(x.Arch)),
				"use the package of the right architecture")
		}
	}
	var needs []string
	for _, m := range closed.Missing {
		x.Needs = append(x.Needs, Need{m.Library, m.NeededBy})
		needs = append(needs, m.Library)
	}
	if len(needs) > 0 {
		x.find("PGX053", "", strings.Join(needs, ", "), "")
	}
}

// several names the first of a list and counts the rest.
func several(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprintf("%s and %d more", names[0], len(names)-1)
}

// libraryPath settles where the loader will look: the label says, or every
// folder with a shared library counts, as its consumer would have to list it.
func (x *examination) libraryPath() {
	if x.Metadata != nil {
		x.LibraryPath = x.Metadata.LDLibraryPath
		return
	}
	for _, l := range x.Libraries {
		dir := path.Dir(l.Path)
		if strings.Contains(path.Base(l.Path), ".so") && !slices.Contains(x.LibraryPath, dir) {
			x.LibraryPath = append(x.LibraryPath, dir)
		}
	}
	slices.Sort(x.LibraryPath)
}

// gatherOwn lists what the loader finds in those folders, links too.
func (x *examination) gatherOwn() {
	for e := range x.Tree.All() {
		if !slices.Contains(x.LibraryPath, path.Dir(e.Path)) {
			continue
		}
		file, ok := x.Tree.Resolve(e.Path)
		if !ok {
			continue
		}
		if o, ok := x.object(file); ok && o.Type == "dyn" {
			x.Own = append(x.Own, elf.Provider{Package: x.Owner[file.Path], Path: e.Path, SONAME: path.Base(e.Path), Object: o})
		}
	}
}

// findUnknown tells which libraries no package database accounts for.
func (x *examination) findUnknown() {
	var unknown []string
	for _, l := range x.Libraries {
		if l.Package == "" {
			unknown = append(unknown, l.Path)
		}
	}
	if len(unknown) > 0 {
		x.find("PGX054", "", "nothing says which package it is from: "+several(unknown), "")
	}
}
