// Package imagemeta computes the labels and annotations of an image from its
// recipe, its lock and its files.
//
// A Description holds the metadata label, the OCI labels and annotations, and
// findings about fields of the recipe. It is a pure function of the Input.
package imagemeta
