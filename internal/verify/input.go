package verify

import (
	"time"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/sbom"
)

// Predicate types of claims.
const (
	// Signature is a claim that says nothing but that somebody signed
	// (cosign); legacy signatures count as such.
	Signature  = "https://sigstore.dev/cosign/sign/v1"
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
	// Trusted tells that somebody named a key or an identity whose signatures
	// count. Without it signatures are not judged, documents are.
	Trusted bool
	// Claims are those whose signature is by a trusted key or identity.
	Claims []Claim
	// Rejected are the signatures that were not accepted.
	Rejected []Rejection
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
	// Labels are the config's.
	Labels map[string]string
	// Damage says why the layers cannot be read, or that a blob is not what
	// its digest says; nil when they can. Then Tree and Packages are empty.
	Damage error
	// Tree is what the layers amount to.
	Tree filetree.Tree
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

// Claim is a statement whose signature was verified.
type Claim struct {
	PredicateType string
	// Predicate is what is claimed, as JSON; nil of a Signature.
	Predicate []byte
	// Subjects are the digests that it is about, "sha256:" and hex.
	Subjects []string
	// On is the digest of what it is attached to.
	On string
	By Signer
}

// Signer is a key, or an identity with a certificate.
type Signer struct {
	// Key is the SHA-256 of the public key (its SubjectPublicKeyInfo), in hex;
	// "" for an identity.
	Key string
	// Identity is the certificate's subject alternative name, Issuer who
	// vouched for it.
	Identity, Issuer string
}

// String returns the signer for people.
func (s Signer) String() string {
	if s.Key != "" {
		return "the key sha256:" + s.Key
	}
	return s.Identity + " (" + s.Issuer + ")"
}

// Rejection is a signature that does not count.
type Rejection struct {
	// On is the digest of what it is attached to.
	On string
	// Why is a clause, such as "the signature does not verify with the key".
	Why string
}
