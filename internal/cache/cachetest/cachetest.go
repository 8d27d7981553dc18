package cachetest

import (
	"io"
	"testing"

	"github.com/pgext/pgext/internal/cache"
)

// Open returns an empty cache, which ends with the test.
func Open(tb testing.TB) *cache.Cache {
	tb.Helper()
	c, err := cache.Open(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// Put adds what r holds to a cache, and returns its SHA-256 and its size in
// bytes.
func Put(tb testing.TB, c *cache.Cache, r io.Reader) (sha256 string, size int64) {
	tb.Helper()
	w, err := c.Create()
	if err != nil {
		tb.Fatal(err)
	}
	defer w.Abort()
	if _, err := io.Copy(w, r); err != nil {
		tb.Fatal(err)
	}
	sha256, size, err = w.Commit("")
	if err != nil {
		tb.Fatal(err)
	}
	return sha256, size
}
