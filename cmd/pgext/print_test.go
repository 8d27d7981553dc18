package main

import (
	"bytes"
	"testing"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/probe"
)

// TestStrangersWords: what packages and servers say makes a terminal do
// nothing.
func TestStrangersWords(t *testing.T) {
	var out bytes.Buffer
	a := &app{stdout: &out, stderr: &out}
	const words = "a\x1b[2Jb"
	for name, say := range map[string]func() error{
		"findings": func() error {
			a.printFindings(builder.Image{Findings: []finding.Finding{{Code: "PGX001", Severity: finding.Error, Path: words, Text: words, Hint: words}}})
			return nil
		},
		"discovery": func() error {
			return a.tellDiscovery(builder.Discovery{Result: pgtest.Result{Checks: []pgtest.Check{{Name: words, Status: pgtest.Fail, Detail: words}}}})
		},
		"classes": func() error {
			return a.printClasses(builder.Classification{Classes: []probe.Class{{Package: words, Kind: probe.None, Reason: words}}})
		},
	} {
		out.Reset()
		if err := say(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(out.Bytes(), []byte("a�[2Jb")) || bytes.Contains(out.Bytes(), []byte("\x1b")) {
			t.Errorf("%s: got %q, want no control character", name, out.String())
		}
	}
}
