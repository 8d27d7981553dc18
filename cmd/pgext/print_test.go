package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/initrecipe"
	"github.com/pgext/pgext/internal/inspect"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/pgtest"
	"github.com/pgext/pgext/internal/probe"
	"github.com/pgext/pgext/internal/verify"
	"github.com/pgext/pgext/layout"
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
			return a.printDiscovery(initrecipe.Discovery{Result: pgtest.Result{Checks: []pgtest.Check{{Name: words, Status: pgtest.Fail, Detail: words}}}})
		},
		"classes": func() error {
			return a.printClasses(initrecipe.Classification{Classes: []probe.Class{{Package: words, Kind: probe.None, Reason: words}}})
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

// TestStrangersLines: a name in an image is no line of its own, which would look
// like one of pgext's.
func TestStrangersLines(t *testing.T) {
	const words = "a\npass  forged"
	tree, err := filetree.New([]filetree.Entry{
		{Path: "lib/" + words, Kind: filetree.File, Mode: 0o644},
		{Path: "lib/link", Kind: filetree.Symlink, Link: words},
	})
	if err != nil {
		t.Fatal(err)
	}
	found := []finding.Finding{finding.New("PGX046", words, words, words)}
	image := inspect.Image{
		Platform: words, Tree: tree,
		Contents: layout.Contents{
			Unscripted: []string{words}, Findings: found,
			Extensions: []metadata.Extension{{Name: words, Version: words, Requires: []string{words}, Schema: words}},
		},
		Metadata: &metadata.Metadata{Name: words, Version: words, Distro: words, Create: []string{words}, Parameters: map[string]string{words: words}},
		Layers:   []inspect.Layer{{Digest: words, Comment: words}}, Packages: []layout.Installed{{Package: words, Version: words}},
	}
	change := inspect.NamedChange{Name: words, Change: inspect.Change[string]{A: words, B: words}}
	difference := inspect.ImageDifference{
		Platform: words, Extensions: []inspect.NamedChange{change}, Packages: []inspect.NamedChange{change}, Needs: []inspect.NamedChange{change},
		Labels: []inspect.NamedChange{change}, Files: []inspect.FileChange{{Path: words, Change: inspect.Change[*inspect.FileState]{A: &inspect.FileState{Kind: "file"}}}},
	}
	var linted strings.Builder
	describeFindings(&linted, "", found)
	for name, text := range map[string]string{
		"inspect": describeSurvey("x", inspect.Result{Images: []inspect.Image{image}}, false),
		"lint":    linted.String(),
		"diff":    diffDocument{Difference: inspect.Difference{Images: []inspect.ImageDifference{difference}}}.describe(),
		"test": testTable(testDocument{Images: []testedImage{{
			Checks: []pgtest.Check{{Status: pgtest.Fail, Name: words, Detail: words}}, Advice: []pgtest.Advice{{Text: words, Recipe: words}},
		}}}),
		"verify": verifyDocument{Images: []verifiedImage{{Image: "x", Checks: []verify.Check{{Status: verify.Fail, Detail: words, Hint: words}}}}}.describe(),
	} {
		if !strings.Contains(text, "a\ufffdpass  forged") || strings.Contains(text, "\npass") {
			t.Errorf("%s: a name begins a line:\n%s", name, text)
		}
	}
}
