package apt

import "io"

// Package is one binary package of an index. Relation fields are as the
// archive wrote them (Debian Policy 7.1), folded lines joined with a space;
// internal/debian parses them.
type Package struct {
	Name    string
	Version string
	// Arch is a Debian architecture, or "all".
	Arch string
	// Source and SourceVersion are the source package; where the stanza does
	// not say, the binary package's own (Policy 5.6.1).
	Source, SourceVersion string
	Section               string
	// Priority is "required", "important", "standard", "optional" or "extra"
	// (Policy 2.5); empty when the stanza has none.
	Priority string
	// MultiArch is "same", "foreign", "allowed", "no" or empty.
	MultiArch string
	// Essential and Protected are the flags of those names; Important, the
	// older name of the latter, counts as Protected.
	Essential, Protected bool

	PreDepends, Depends, Recommends, Suggests string
	Provides, Conflicts, Breaks               string

	// Filename is the path below the archive's root, Size the length of the
	// .deb in bytes, SHA256 and SHA512 its digests in lower-case hexadecimal,
	// empty when the index has none.
	Filename       string
	Size           int64
	SHA256, SHA512 string

	// Archive and Suite are those of the File the package was read from.
	Archive, Suite string
}

// File is one verified Packages file.
type File struct {
	// Archive and Suite go into every Package and every message.
	Archive, Suite string
	// Component and Arch are where the file stands in its archive. Files of
	// another architecture than the one asked for are not opened; an empty
	// Arch, or "all", fits any.
	Component, Arch string
	// SHA256 identifies the content: of the compressed file, as verified. The
	// parsed form is kept in the cache under it; empty keeps nothing.
	SHA256 string
	// NotAutomatic is that field of the file's Release: the suite is no
	// distribution of its own, and what others have goes before what it has.
	NotAutomatic bool
	// Format names the compression in messages; Open has already undone it.
	Format string
	// Open returns the decompressed content.
	Open func() (io.ReadCloser, error)
}
