package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/empty"

	"github.com/pgext/pgext/internal/imagetest"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
)

// TestKeepStaysInside: an image that calls itself what leads elsewhere gets its
// log in the output folder all the same.
func TestKeepStaysInside(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "a", "b", "dist")
	o := outcome{
		subject: subject{Subject: imagetest.Subject{Metadata: metadata.Metadata{Image: "../..", Arch: "../amd64"}}, tag: "../../1"},
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

// TestLogsAreApart: of two images of one name the second takes no log of the
// first, whatever came of it.
func TestLogsAreApart(t *testing.T) {
	dir := t.TempDir()
	of := func(status pgtest.Status) outcome {
		m := metadata.Metadata{Image: "x", Arch: "amd64"}
		return outcome{
			subject: subject{Subject: imagetest.Subject{Metadata: m, Image: empty.Image}, tag: "1"},
			Result:  pgtest.Result{Checks: []pgtest.Check{{Name: "start", Status: status}}, Log: []byte("log")},
		}
	}
	var stdout bytes.Buffer
	a := &app{stdout: &stdout, stderr: io.Discard}
	err := a.reportTests([]outcome{of(pgtest.Fail), of(pgtest.Pass), of(pgtest.Fail)}, nil, testFlags{output: dir})
	if exitCode(err) != exitFindings {
		t.Errorf("exit code %d: %v", exitCode(err), err)
	}
	for _, name := range []string{"1-amd64.test.log", "1-3-amd64.test.log"} {
		path := filepath.Join(dir, "x", name)
		if _, err := os.Stat(path); err != nil || !strings.Contains(stdout.String(), "  log: "+path+"\n") {
			t.Errorf("%s: %v\n%s", name, err, stdout.String())
		}
	}
}
