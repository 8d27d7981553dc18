// Package verify checks the signatures, SBOMs and provenance of a finished image.
//
// Verify takes an Input (an image with its signatures and attached documents)
// and a Policy, and returns a Result: one Check per property, such as "the SBOM
// lists exactly the files of the layers". Missing evidence fails a check, like
// wrong evidence.
//
// The package reads values only. Cryptographic verification (package sign),
// reading the layers (internal/inspect) and finding missing libraries happen
// before. An unsigned document is accepted from any source; only its content is
// checked.
package verify
