package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
)

// TestKeepStaysInside: an image that calls itself what leads elsewhere gets its
// log in the output folder all the same.
func TestKeepStaysInside(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "a", "b", "dist")
	o := outcome{
		subject: subject{Trial: builder.Trial{Metadata: metadata.Metadata{Image: "../..", Arch: "../amd64"}}, tag: "../../1"},
		Result:  pgtest.Result{Checks: []pgtest.Check{{Name: "start", Status: pgtest.Fail}}, Log: []byte("log"), Diffs: []byte("diff")},
	}
	if err := o.keep(out); err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(out, "_.-..", "_.-..-1-_.-amd64.test.log"), filepath.Join(out, "_.-..", "_.-..-1-_.-amd64.regression.diffs")}
	if diff := cmp.Diff([]string{o.log, o.diffs}, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	for _, path := range want {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	o.Result = pgtest.Result{}
	if err := o.keep(out); err != nil || o.log != "" || o.diffs != "" {
		t.Errorf("after a pass: %q, %q, %v", o.log, o.diffs, err)
	}
}
