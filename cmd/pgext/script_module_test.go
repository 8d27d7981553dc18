package main

import (
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgext/pgext/internal/testmirror"
)

// cmdModule copies a module of PostgreSQL 18 from a package of forky to FILE,
// for images that need something to load.
func cmdModule(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: module FILE PACKAGE NAME")
	}
	dir := testmirror.Unpacked(stateOf(ts).tb, "forky", "amd64", args[1])
	content, err := os.ReadFile(filepath.Join(dir, "usr/lib/postgresql/18/lib", args[2]+".so"))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o644))
}
