package verify

import (
	"time"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/sbom"
	"github.com/pgext/pgext/sign"
)

// The predicate types of documents.
const (
	SPDX       = sbom.SPDXPredicate
	CycloneDX  = sbom.CycloneDXPredicate
	Provenance = provenance.PredicateType
)

// Input is an image with its evidence.
type Input struct {
	// Index is the digest of the index, "sha256:" and hex; "" when the image
	// has none.
	Index  string
	Images []Image
	// Others is what the index lists for no platform (unknown/unknown), as
	// BuildKit does with attestations; Unjudged is what is neither that nor an
	// image. Each has its digest.
	Others, Unjudged []string
	// Trusted tells that somebody named a key or an identity whose signatures
	// count. Without it signatures are not judged, documents are.
	Trusted bool
	// Verdicts are about the index and the manifests; one that is not there
	// has no evidence.
	Verdicts []sign.Verdict
	// Findings are those about the files and the libraries of the base.
	Findings []finding.Finding
	Policy   Policy
}

// Image is one architecture.
type Image struct {
	// Platform is how people call it, such as linux/arm64.
	Platform string
	// Arch is the Debian architecture.
	Arch string
	// Digest is the manifest's, "sha256:" and hex.
	Digest  string
	Created time.Time
	// Labels are the config's, Annotations the manifest's.
	Labels, Annotations map[string]string
	// Damage says why the layers cannot be read, or that a blob is not what
	// its digest says; nil when they can. Then Tree and Packages are empty.
	Damage error
	// Tree is what the layers amount to.
	Tree filetree.Tree
	// Special are the paths of devices, pipes and the like, which a Tree cannot
	// hold.
	Special []string
	// Hiding are the digests of layers in which something follows the end of
	// the archive: some programs unpack that too.
	Hiding []string
	// Packages are those of the image's own package database.
	Packages []Package
	// Documents are attached to the manifest without a signature.
	Documents []Document
}

// Package is a package that the image itself lists (var/lib/dpkg/status.d).
type Package struct {
	Name, Version, Arch string
}

// Document is a referrer of a manifest.
type Document struct {
	// Predicate is the predicate type that goes with its artifact type.
	Predicate string
	Content   []byte
}
