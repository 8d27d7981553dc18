package sbom

import (
	"time"
)

// Inventory holds the contents of an image from an SPDX document, which may be
// written by another program. It may be incomplete and have several packages of
// one name.
type Inventory struct {
	// Image is the package that the document describes.
	Image Entry
	// Digest is the digest of the image's manifest, "sha256:" and hex; "" if the
	// document has none.
	Digest string
	// Tool is the first creator.
	Tool    string
	Created time.Time
	// Packages are all other packages, sorted by name.
	Packages []Entry
	// Files and Links are sorted by path.
	Files []Owned
	Links []Owned
}

// Entry is a package. Fields that are missing in the document, or have the value
// NOASSERTION or NONE, are "".
type Entry struct {
	Name, Version, PURL string
	// SHA256 is in hex.
	SHA256 string
	// License is the declared licence.
	License string
}

// Owned is a path of the image with the package that contains it.
type Owned struct {
	Path string
	// SHA1 and SHA256 are digests of a file, in hex; "" if missing.
	SHA1, SHA256 string
	// Target is the target of a link.
	Target string
	// Owners is the number of packages that contain the path. Package is the
	// name of the package, "" for the image itself; it is valid if Owners is 1.
	Package string
	Owners  int
}
