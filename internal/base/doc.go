// Package base says what the operand image already holds, which no extension
// image carries again.
//
// Its noun is Base: a named list of packages. The profile cnpg-minimal is
// computed over the same indexes as the extension, with no image pull; which
// of its packages are ever fetched is not decided here. An operand image is
// read once instead, and then everything about it is known.
package base
