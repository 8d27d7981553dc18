// Package cachetest fills caches for tests.
//
// Its noun is a cache of one test: empty at first, gone with the test, and given
// what the test would else have to download. It makes no record, and its blobs
// are whatever the test says that they are.
package cachetest
