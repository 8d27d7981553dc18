// Package license converts debian/copyright files to SPDX licence expressions.
//
// A Copyright is a machine-readable file (DEP-5). A License is an SPDX expression
// with References, the licences without an SPDX identifier and their texts. The
// package does not derive an expression from a copyright file in prose.
package license
