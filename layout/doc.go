// Package layout computes the layout of an extension image: the place of each file
// of a set of packages.
//
// Arrange is a pure function from an Input (unpacked packages with roles) to a
// Result: one tree for each layer, and a Report with the place of each file or the
// reason for dropping it. Problems are findings. Analyze finds the extensions and
// modules in the files of a finished image.
//
// The package implements PostgreSQL's rules for control files and script
// directories. It does not resolve dependencies, unpack packages or run programs,
// and never modifies an ELF file.
package layout
