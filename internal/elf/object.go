package elf

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
)

// ErrNotELF is returned by Read for a file that does not start with the ELF
// magic.
var ErrNotELF = errors.New("not an ELF file")

// FormatError is returned by Read for a file that starts as an ELF file and
// does not hold together, or exceeds a limit of this package.
type FormatError struct {
	// Part is the structure that is wrong, for example "dynamic section".
	Part string
	// Problem describes what is wrong with it.
	Problem string
}

func (e *FormatError) Error() string {
	return "malformed ELF file: " + e.Part + ": " + e.Problem
}

func malformed(part, format string, args ...any) error {
	return &FormatError{Part: part, Problem: fmt.Sprintf(format, args...)}
}

// Object is what one ELF file tells the dynamic loader. The zero value of a
// field means that the file does not say.
type Object struct {
	// Arch is the Debian name of the architecture, for example "arm64"; ""
	// when Debian has none for it.
	Arch string `json:"arch,omitempty"`
	// Class is 32 or 64 bits.
	Class elf.Class `json:"class,omitempty"`
	// Data is the byte order.
	Data elf.Data `json:"data,omitempty"`
	// Machine is e_machine.
	Machine elf.Machine `json:"machine,omitempty"`
	// Type is "dyn", "exec", "rel", "core" or "" for any other. Only the
	// first two are read beyond their header.
	Type string `json:"type,omitempty"`
	// SONAME is the name that others need this library by.
	SONAME string `json:"soname,omitempty"`
	// Needed holds the libraries this file needs, in the file's order.
	Needed []string `json:"needed,omitempty"`
	// Rpath and Runpath hold the elements of DT_RPATH and DT_RUNPATH, as
	// written; an empty element is the current directory.
	Rpath   []string `json:"rpath,omitempty"`
	Runpath []string `json:"runpath,omitempty"`
	// Interp is the program interpreter's path.
	Interp string `json:"interp,omitempty"`
	// Versions holds the symbol versions needed, in the file's order.
	Versions []Need `json:"versions,omitempty"`
	// Defines holds the symbol versions defined, in the file's order. The
	// first is, by convention, the base version: the library's own name.
	Defines []string `json:"defines,omitempty"`
}

// Need is the set of symbol versions that a file wants of one library.
type Need struct {
	// Library is the NEEDED name the versions belong to.
	Library string `json:"library"`
	// Versions must be defined by the library, else the loader gives up.
	Versions []string `json:"versions,omitempty"`
	// Weak holds those marked VER_FLG_WEAK, which the loader can do without.
	Weak []string `json:"weak,omitempty"`
}

// Read returns the Object of the size bytes behind r. It returns ErrNotELF
// for other files and a *FormatError for malformed ones; any other error is
// r's own. At most some megabytes are kept and some hundred read, whatever the
// file claims; of real files, some ten kilobytes.
func Read(r io.ReaderAt, size int64) (Object, error) {
	f := &file{w: window{r: r, size: size}}
	if err := f.readHeader(); err != nil {
		return Object{}, err
	}
	o := f.header.object()
	if o.Type != "dyn" && o.Type != "exec" {
		return o, nil
	}
	if err := f.readSegments(); err != nil {
		return Object{}, err
	}
	if err := f.readInterp(&o); err != nil {
		return Object{}, err
	}
	d, err := f.readDynamic()
	if err != nil {
		return Object{}, err
	}
	if err := f.names(d, &o); err != nil {
		return Object{}, err
	}
	if o.Versions, err = f.needs(d); err != nil {
		return Object{}, err
	}
	if o.Defines, err = f.defines(d); err != nil {
		return Object{}, err
	}
	if err := f.checkMappings(); err != nil {
		return Object{}, err
	}
	return o, nil
}
