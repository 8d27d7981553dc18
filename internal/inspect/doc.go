// Package inspect analyzes a finished extension image, including images that
// pgext did not build.
//
// A Result holds the contents of an image for each architecture and the findings
// about it. They are computed from the files, the labels and the package database
// of the image. The package does not read the operand image, and changes nothing.
package inspect
