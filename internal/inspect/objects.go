package inspect

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// checkObjects checks the machine and the needed libraries of the ELF files.
func (x *inspector) checkObjects() {
	for e := range x.Tree.All() {
		o, ok := x.object(e)
		if text := x.files.Malformed[e.SHA256]; text != "" && e.Kind == filetree.File {
			x.report("PGX003", e.Path, text, "")
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
	x.setLibraryPath()
	x.listProviders()
	x.checkOrigins()
	closed := elf.Close(elf.Input{Arch: x.Arch, Roots: x.Roots, Own: x.Own})
	for _, w := range closed.WrongArch {
		if w.Library == "" {
			x.report("PGX003", w.Path, fmt.Sprintf("is an ELF file for %s in an image for %s", elf.Machine(w.Arch), elf.Machine(x.Arch)),
				"use the package of the image's architecture")
		}
	}
	var needs []string
	for _, m := range closed.Missing {
		x.Needs = append(x.Needs, Need{m.Library, m.NeededBy})
		needs = append(needs, m.Library)
	}
	if len(needs) > 0 {
		x.report("PGX053", "", strings.Join(needs, ", "), "")
	}
}

// setLibraryPath sets the directories that the dynamic loader searches: those in
// the label, or without a label every directory with a shared library, because a
// consumer would have to list them all.
func (x *inspector) setLibraryPath() {
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

// listProviders lists the libraries and links to libraries in LibraryPath.
func (x *inspector) listProviders() {
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

// checkOrigins reports libraries that the package database does not list.
func (x *inspector) checkOrigins() {
	var unknown []string
	for _, l := range x.Libraries {
		if l.Package == "" {
			unknown = append(unknown, l.Path)
		}
	}
	switch len(unknown) {
	case 0:
	case 1:
		x.report("PGX054", "", "unknown package of "+unknown[0], "")
	default:
		x.report("PGX054", "", fmt.Sprintf("unknown package of %s and %d more", unknown[0], len(unknown)-1), "")
	}
}
