package verify

import (
	"time"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/layout"
	"github.com/pgext/pgext/sbom"
	"github.com/pgext/pgext/sign"
)

// The predicate types of documents.
const (
	SPDX       = sbom.SPDXPredicate
	CycloneDX  = sbom.CycloneDXPredicate
	Provenance = provenance.PredicateType
)

// Input is an image with its signatures, documents and findings.
type Input struct {
	// Index is the digest of the index, "sha256:" and hex; "" for an image
	// without an index.
	Index string
	// Images are the images for platforms that the index lists, or the one image.
	Images []Image
	// Others are the digests of index entries for the platform unknown/unknown,
	// such as the attestations of BuildKit. Unsupported are the digests of entries
	// that are neither an image nor an attestation.
	Others, Unsupported []string
	// Trusted is true if keys or identities were configured. If it is false, the
	// signature checks are skipped.
	Trusted bool
	// Verdicts are the results of package sign for the index and the manifests. A
	// digest without a verdict counts as unsigned.
	Verdicts []sign.Verdict
	// Findings are about the files, and about libraries that the base lacks.
	Findings []finding.Finding
	Policy   Policy
}

// Image is the image of one architecture.
type Image struct {
	// Platform is in OCI form, such as linux/arm64.
	Platform string
	// Arch is the Debian architecture.
	Arch string
	// Digest of the manifest, "sha256:" and hex.
	Digest  string
	Created time.Time
	// Labels of the config, Annotations of the manifest.
	Labels, Annotations map[string]string
	// Damage is the error of reading the config or the layers, such as a digest
	// mismatch; nil if they are readable. Tree and Packages are empty if it is set.
	Damage error
	// Tree has the files of all layers.
	Tree filetree.Tree
	// Special are the paths of devices, pipes and sockets, which Tree omits.
	Special []string
	// TrailingData are the digests of layers with data after the end of the tar
	// archive. Some programs unpack that data too.
	TrailingData []string
	// Packages are listed in the package database of the image.
	Packages []layout.Installed
	// Documents are attached to the manifest without a signature.
	Documents []Document
}

// Document is an unsigned document that refers to a manifest.
type Document struct {
	// Predicate is the predicate type that corresponds to the artifact type.
	Predicate string
	Content   []byte
}
