// Package metadata reads, validates and writes the label io.pgext.metadata.
//
// The label holds everything that a consumer needs to mount and use an extension
// image. The package also makes the tags, labels and annotations of an image, and
// computes the settings of a server that mounts several images (Merge). It does
// not read files, registries or recipes.
package metadata
