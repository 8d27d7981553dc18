// Package lock holds what a build is pinned to.
//
// Its nouns are Lock (the document, version 1), Target (what one distribution,
// PostgreSQL major and architecture is built from: archives, base, packages)
// and Change (what another lock has instead). A Lock is a value: With returns
// a new one, Encode gives the same bytes for the same pins.
//
// A lock names packages by archive, path and digest, never by URL, so that it
// holds through every mirror. This room resolves nothing and writes no file.
package lock
