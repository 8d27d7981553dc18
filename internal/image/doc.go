// Package image turns file trees into an OCI image on disk.
//
// Its nouns are Layer (a tree as compressed tar, kept in the cache), image (one
// architecture's layers with config and manifest), index (the images of all
// architectures) and Layout (a folder in the OCI image layout). What was
// written can be read back as a tree.
//
// The same trees give the same bytes on any machine, however often and however
// parallel. The room knows nothing of PostgreSQL, of packages or of
// registries.
package image
