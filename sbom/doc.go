// Package sbom writes bills of materials.
//
// Its nouns are Document (what one architecture's image is made of; it turns
// into SPDX 2.3 or CycloneDX 1.7 in JSON), Package (a .deb that gave it files,
// or an upstream archive that some were built from), File and Link (each with
// its owner) and Inventory (what an SPDX document says, read back). Files that
// pgext generated or rewrote belong to the image's own package, with the
// package they were made from beside them.
//
// The same Document gives the same bytes, in whatever order its lists are: no
// clock, no host, no random number goes in. Writing and reading one opens no
// file; SHA1 alone reads those of a layer, once, for the digests that SPDX
// wants of them and nobody else does. The room asks no network, and does not
// judge whether a document fits an image.
package sbom
