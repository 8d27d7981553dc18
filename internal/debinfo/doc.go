// Package debinfo returns the contents of .deb packages and caches them.
//
// The first [Store.Scan] of a package walks it once. It stores an [Info] without
// file contents as a record in the cache, under the digest of the package, and the
// requested files as blobs. Later scans open the package only for files that were
// not requested before. Package debinfo downloads nothing and runs nothing.
package debinfo
