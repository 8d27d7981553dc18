// Package inspect judges a finished image, whoever made it.
//
// Its noun is Survey: what an image holds, architecture by architecture, with
// the findings about it. Files, labels and the package database of the image
// are all it knows; what the operand image has it does not ask, nor where the
// image comes from. Nothing is repaired.
package inspect
