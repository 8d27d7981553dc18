// Package sbom writes and reads software bills of materials (SBOMs).
//
// A Document describes the image of one architecture and is encoded as SPDX 2.3 or
// CycloneDX 1.7 in JSON. A Package is a Debian package with files in the image, or
// an upstream archive from which files were built. A File or Link has the package
// that contains it. Generated and rewritten files belong to the image itself and
// have a reference to the package they were made from. ReadSPDX decodes an SPDX
// document into an Inventory.
//
// The encoding is deterministic: it does not depend on the order of lists, the
// clock, the host or random numbers. Only SHA1 reads files. The package does not
// access the network, and does not compare a document with an image.
package sbom
