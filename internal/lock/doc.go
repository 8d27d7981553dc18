// Package lock reads, validates, compares and encodes the file that pins the
// inputs of a build.
//
// A Lock has one Target for each distribution, PostgreSQL major and architecture:
// its archives, base and packages. Packages are pinned by archive, path and digest,
// never by URL, so the lock is valid for every mirror. The package resolves nothing
// and writes no file.
package lock
