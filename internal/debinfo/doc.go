// Package debinfo knows what is in a .deb, without opening it twice.
//
// Its nouns are Store (where that knowledge lives) and Contents (control
// paragraph, maintainer scripts, the tree with a digest of every file, the
// ELF objects in it). The first Read passes over a package once; it keeps the
// facts as a record in the cache, under the package's digest, and the files
// that were asked for as blobs. Later Reads open the package only for files
// that were never asked for before.
//
// It downloads nothing, runs nothing, and has no opinion on what a file is
// good for.
package debinfo
