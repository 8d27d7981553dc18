// Package filetree holds a tree of files as a value: what a package unpacks
// to, what an image will contain.
//
// Its nouns are Entry (a path with mode, time, link, size, digest and origin),
// Content (bytes that can be opened again and again) and Tree (entries sorted
// by path). A Tree is immutable; every method returns a new value. Nothing is
// read from or written to a disk here, and no path is ever interpreted by the
// host's file system.
package filetree
