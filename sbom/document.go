package sbom

import (
	"time"

	"github.com/pgext/pgext/internal/license"
)

// Media types of the documents, which are also the artifact types of their
// referrers, and the predicate types of their attestations.
const (
	SPDXMediaType      = "application/spdx+json"
	SPDXPredicate      = "https://spdx.dev/Document"
	CycloneDXMediaType = "application/vnd.cyclonedx+json"
	CycloneDXPredicate = "https://cyclonedx.org/bom"
)

// Document is the SBOM of the image of one architecture. Its lists may be in any
// order. The zero Document is invalid.
type Document struct {
	// OutputVersion is image.OutputVersion. The document has it in place of the
	// version of pgext.
	OutputVersion int
	Image         Image
	Packages      []Package
	Files         []File
	Links         []Link
}

// Image is the image that the document describes.
type Image struct {
	// Name is the base name of the repository.
	Name string
	// Version is the image's version, Tag its tag.
	Version, Tag string
	// Arch is the OCI name of the architecture.
	Arch string
	// Digest is the digest of the manifest, "sha256:" and hex.
	Digest string
	// Created is the creation time of the image.
	Created time.Time
	// License is the SPDX expression that the recipe states; "" stands for the
	// licences of all packages, joined by AND.
	License           string
	Summary, Homepage string
}

// Kind is the kind of a Package.
type Kind uint8

const (
	// Debian is a Debian package with files in the image.
	Debian Kind = iota
	// Upstream is a source archive from which files were built. The image does
	// not contain its files.
	Upstream
)

// Package is a Debian package or an upstream archive.
type Package struct {
	Kind Kind
	// Name is unique in a document.
	Name, Version string
	// Arch is Debian's name of the architecture, or all.
	Arch string
	// Distro is the ID and VERSION_ID of the distribution, such as debian-14; ""
	// if unknown.
	Distro string
	// Source and SourceVersion are the values of the Source field in the control
	// paragraph; "" stands for the name and version of the package.
	Source, SourceVersion string
	// Supplier is the Maintainer field: a name, and an address in angle brackets.
	Supplier          string
	Summary, Homepage string
	// SHA256 is the digest of the .deb or archive, in hex.
	SHA256 string
	// DownloadLocation is a URL; "" if there is none.
	DownloadLocation string
	// License must have an expression.
	License license.License
	// Copyright holds the copyright notices, one per line; "" if unknown.
	Copyright string
}

// File is a regular file of the image.
type File struct {
	// Path is relative to the root of the image.
	Path string
	// SHA1 and SHA256 are in hex.
	SHA1, SHA256 string
	// Package is the package that contains the unchanged file; "" for a file of
	// the image itself.
	Package string
	// From is the package from which a file of the image itself was made; "" for
	// none.
	From string
	// Note describes how a file of the image itself was made.
	Note string
}

// Link is a symbolic link of the image.
type Link struct {
	Path, Target string
	// Package is as in File.
	Package string
}
