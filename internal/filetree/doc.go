// Package filetree defines an immutable tree of files, such as the contents of a
// package or an image.
//
// An Entry is a path with mode, time, link target, size, digest and origin. A
// Content is a byte source that can be opened any number of times. A Tree is a
// set of entries sorted by path; its methods return new values. The package does
// not access the disk, and the host's file system never resolves a path of a
// Tree.
package filetree
