package layout

import (
	"time"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// Input determines the layout of an image. Arrange does not change it.
type Input struct {
	// Name is the extension's name in a catalog; the image is mounted at
	// /extensions/NAME.
	Name string
	// Postgres is the major version.
	Postgres int
	// Distro is the codename in os-release; if it is "", the image has none.
	Distro string
	// Packages may be in any order.
	Packages []Package
	// Libraries are placed in system under their SONAME. They are the needed
	// libraries that the base lacks.
	Libraries []elf.Provider
	// NeededBy maps a SONAME to the files of the image that need the library,
	// for the report; may be nil.
	NeededBy map[string][]string
	// Siblings is true if a module needs another module of the image, so that
	// the dynamic loader has to search lib too.
	Siblings bool
	// Data are further files of packages to place.
	Data []DataMapping
	// Bitcode keeps the LLVM bitcode of modules.
	Bitcode bool
	// KeepPaths disables the rewriting of $libdir and absolute paths in scripts
	// and reports them as findings (rewrite: none in the recipe).
	KeepPaths bool
	// Interpreter reports whether the base has the interpreter of a script; line
	// is the first line without "#!". Nil means that the base has none.
	Interpreter func(line string) bool
	// BaseHas reports whether the base has a file at path, relative to the
	// root. Nil means unknown.
	BaseHas func(path string) bool
}

// Result is the layout of an image. All lists are sorted.
type Result struct {
	// Extension and Libraries are the two layers. Apart from directories, a path
	// is in only one of them. Libraries has the files of packages with another
	// role than Extension; it may be empty.
	Extension, Libraries filetree.Tree
	Report               Report
	Contents
	// Licenses are the licences of the packages in Given.
	Licenses []PackageLicense
	// Given are the packages with a file in the image.
	Given []string
	// Interpreters are the first lines, without "#!", of the scripts whose
	// interpreter is in the base.
	Interpreters []string
	// The path lists of the metadata label, relative to the image.
	ExtensionControlPath, DynamicLibraryPath, LDLibraryPath, BinPath []string
	// Mount is the path at which the image must be mounted; "" if it works at
	// any.
	Mount string
	// Epoch is the newest modification time of all files of the packages in
	// Given.
	Epoch time.Time
}

// Arrange computes the layout of an image. It returns an error if the input is
// inconsistent or a required file has no content; problems of the packages are
// findings.
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

// Places returns the two layers without rewritten and generated files. It is
// faster than Arrange, because it reads only programs.
func Places(in Input) (extension, libraries filetree.Tree, err error) {
	a, placed, err := place(in)
	if err != nil {
		return extension, libraries, err
	}
	return a.trees(placed)
}

// place computes the places of all files of the packages.
func place(in Input) (*arrangement, []placement, error) {
	packages, err := in.check()
	if err != nil {
		return nil, nil, err
	}
	a := &arrangement{in: in, packages: packages, dropped: drops{}, grouped: map[group][]string{}}
	if err := a.merge(); err != nil {
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
	return a, a.resolveCollisions(placed), nil
}
