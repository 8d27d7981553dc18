package sbom

import (
	"time"
)

// Inventory is what an SPDX document says about an image, read back. What a
// sound document has exactly one of may be there several times or not at all:
// a reader sees what is written, whoever wrote it.
type Inventory struct {
	// Image is the package that the document describes.
	Image Entry
	// Digest is that of the image's manifest, "sha256:" and hex; "" when the
	// document has none.
	Digest string
	// Tool is the first creator.
	Tool    string
	Created time.Time
	// Packages are all others, in the order of their names.
	Packages []Entry
	// Files and Links are in the order of their paths.
	Files []Owned
	Links []Owned
}

// Entry is a package. Fields that the document does not state, or states as
// NOASSERTION or NONE, are "".
type Entry struct {
	Name, Version, PURL string
	// SHA256 is in hex.
	SHA256 string
	// License is the declared licence.
	License string
}

// Owned is a path of the image with its owner.
type Owned struct {
	Path string
	// SHA1 and SHA256 are those of a file, in hex; "" when not stated.
	SHA1, SHA256 string
	// Target is where a link leads.
	Target string
	// Package contains it; "" is the image's own. It means nothing unless
	// Owners, the number of packages that do, is 1.
	Package string
	Owners  int
}
