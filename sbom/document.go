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

// Document is the bill of materials of one architecture's image. Its lists may
// be in any order. The zero Document is no image.
type Document struct {
	// OutputVersion is that of the bytes pgext makes: it stands in the
	// document in place of the program's own version.
	OutputVersion int
	Image         Image
	Packages      []Package
	Files         []File
	Links         []Link
}

// Image is what the document is about.
type Image struct {
	// Name is the base name of the repository.
	Name string
	// Version is the image's version, Tag its tag.
	Version, Tag string
	// Arch is OCI's name of the architecture.
	Arch string
	// Digest is the manifest's, "sha256:" and hex.
	Digest string
	// Created is the manifest's epoch.
	Created time.Time
	// License is the SPDX expression that the image's author states; "" means
	// that of all packages together.
	License           string
	Summary, Homepage string
}

// Kind tells packages apart.
type Kind uint8

const (
	// Debian packages gave the image files.
	Debian Kind = iota
	// Upstream archives are what files were built from: none is in the image.
	Upstream
)

// Package is a .deb, or an upstream archive.
type Package struct {
	Kind Kind
	// Name is unique in a document.
	Name, Version string
	// Arch is Debian's name of the architecture, or all.
	Arch string
	// Distro is the identifier of the distribution and its version, such as
	// debian-14; "" when that is not known.
	Distro string
	// Source and SourceVersion are what the Source field of the control
	// paragraph says; "" where it says nothing: then they are the package's own.
	Source, SourceVersion string
	// Supplier is the Maintainer: a name, and an address in angle brackets.
	Supplier          string
	Summary, Homepage string
	// SHA256 of the .deb or archive, in hex.
	SHA256 string
	// DownloadLocation is a URL; "" when there is none.
	DownloadLocation string
	// License must say something.
	License license.License
	// Copyright holds the notices, one a line; "" when none are known.
	Copyright string
}

// File is a regular file of the image.
type File struct {
	// Path is relative to the root of the image.
	Path string
	// SHA1 and SHA256 are in hex.
	SHA1, SHA256 string
	// Package that the file is of, unchanged; "" for the image's own.
	Package string
	// From is the package that an own file was made from; "" for none.
	From string
	// Note says of an own file how it came to be.
	Note string
}

// Link is a symbolic link of the image.
type Link struct {
	Path, Target string
	// Package is as in File.
	Package string
}
