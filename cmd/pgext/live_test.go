package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/pgext/pgext/internal/oracle"
	"github.com/pgext/pgext/internal/sandbox"
	"github.com/pgext/pgext/internal/testmirror"
)

// liveCache returns the cache of all tests that run a real server, which
// outlives them. Where no server can be had the test is skipped.
func liveCache(tb testing.TB) string {
	tb.Helper()
	if runtime.GOARCH != "amd64" {
		oracle.Missing(tb, "amd64", "not this machine")
	}
	testmirror.Packages(tb, "forky", "amd64") // skips where there is no mirror
	s, err := sandbox.Open(tb.Context(), sandbox.Spec{Root: emptyRoot(tb), User: 26})
	if err != nil {
		oracle.Missing(tb, "a sandbox", err.Error())
	}
	s.Close()
	home, err := os.UserCacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	return filepath.Join(home, "pgext-test", "live")
}

func emptyRoot(tb testing.TB) string {
	tb.Helper()
	root := tb.TempDir()
	for _, dir := range []string{"dev", "proc"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	return root
}
