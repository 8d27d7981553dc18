// Package image builds OCI images from file trees and stores them in OCI image
// layouts.
//
// A Layer is a file tree as a compressed tar, kept in the cache. New makes the image
// of one architecture from layers, config and manifest; NewIndex makes the index of
// all architectures. Layout is a folder, or a tar archive, in the OCI image layout.
// Flatten reads the layers of an image back as a tree.
//
// Equal trees give equal bytes on every machine, for any number of parallel builds.
// The package does not depend on PostgreSQL, packages or registries.
package image
