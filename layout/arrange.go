package layout

import (
	"time"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/metadata"
)

// Input is everything that decides where files go. Arrange changes none of it.
type Input struct {
	// Name is the extension's name in a catalog; the image is mounted at
	// /extensions/NAME.
	Name string
	// Postgres is the major version.
	Postgres int
	// Distro is the codename that os-release tells; "" makes no os-release.
	Distro string
	// Packages may come in any order.
	Packages []Package
	// Libraries are to be bundled, under their SONAME: what the closure over
	// NEEDED found to be missing in the base.
	Libraries []elf.Provider
	// NeededBy tells, for the report, which files of the image need each of
	// them, by SONAME; nil tells nothing.
	NeededBy map[string][]string
	// Siblings tells that a module needs another module of the image, so that
	// the loader has to search lib as well.
	Siblings bool
	// Data is what else to take from packages.
	Data []DataMapping
	// Bitcode keeps the LLVM bitcode of modules.
	Bitcode bool
	// KeepPaths leaves $libdir and absolute paths in scripts as they are;
	// what would have been rewritten becomes a finding (rewrite: none).
	KeepPaths bool
	// Interpreter reports whether the base has the interpreter that a
	// script's first line names; line is what follows "#!". Nil: it has none.
	Interpreter func(line string) bool
	// BaseHas reports whether the base has a file at path, relative to the
	// root. Nil: nothing is known about that.
	BaseHas func(path string) bool
}

// Result is an arranged image. All lists are sorted.
type Result struct {
	// Extension and Libraries are the two layers; a path is in one of them
	// only, except for directories. Libraries holds what came from packages
	// other than the extension's own, and is empty when nothing did.
	Extension, Libraries filetree.Tree
	Report               Report
	Findings             []finding.Finding
	// Extensions are those that CREATE EXTENSION can install, by name.
	Extensions []metadata.Extension
	// Unscripted are the extensions that have a control file and no install
	// script that leads to its default version.
	Unscripted []string
	// Modules are the loadable modules in lib, without ".so".
	Modules []string
	// Standalone are the modules that no control file and no script mentions:
	// they are loaded by LOAD, preloaded, or output plugins.
	Standalone []string
	// Licenses tells what the packages that gave a file are under.
	Licenses []PackageLicense
	// Given are the packages that gave a file.
	Given []string
	// Interpreters are the first lines, without "#!", of the scripts whose
	// interpreter the base has.
	Interpreters []string
	// The path lists of the metadata label, relative to the image.
	ExtensionControlPath, DynamicLibraryPath, LDLibraryPath, BinPath []string
	// Mount is where the image must be mounted; "" when any place will do.
	Mount string
	// Epoch is the newest modification time among all files of the packages
	// that gave one.
	Epoch time.Time
}

// Arrange decides where each file of the packages goes. It fails when the
// input contradicts itself or a file that is needed has no content; what is
// wrong with the packages becomes findings.
func Arrange(in Input) (Result, error) {
	a, placed, err := place(in)
	if err != nil {
		return Result{}, err
	}
	if err := a.rewrite(placed); err != nil {
		return Result{}, err
	}
	if err := a.compiledPaths(placed); err != nil {
		return Result{}, err
	}
	return a.result(placed)
}

// Places returns the two layers as Arrange would, but before any file is
// rewritten or generated: it tells where files go, and opens only programs.
func Places(in Input) (extension, libraries filetree.Tree, err error) {
	a, placed, err := place(in)
	if err != nil {
		return extension, libraries, err
	}
	return a.trees(placed)
}

// place gives every file of the packages its place, or none.
func place(in Input) (*arrangement, []placement, error) {
	packages, err := in.check()
	if err != nil {
		return nil, nil, err
	}
	a := &arrangement{in: in, packages: packages, dropped: drops{}, noted: map[note][]string{}, mentioned: map[string]bool{}}
	if err := a.assemble(); err != nil {
		return nil, nil, err
	}
	files, links, err := a.candidates()
	if err != nil {
		return nil, nil, err
	}
	if files, err = a.runnable(files); err != nil {
		return nil, nil, err
	}
	followed, err := a.follow(files, links)
	if err != nil {
		return nil, nil, err
	}
	placed := append(files, followed...)
	placed = append(placed, a.copyrights(placed)...)
	return a, a.settle(placed), nil
}
