package builder_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/session"
)

// A pin that no archive has any more ends the build with the command to type.
func TestBuildOfAPinThatIsGone(t *testing.T) {
	f := newFixture(t, thing("1.0-1"))
	r := f.recipe("")
	f.plan(f.builder(), r, builder.Keep)
	f.archive.Update(suite(thing("1.1-1")))
	empty := newCache(t)
	b := f.builder(func(o *session.Options) { o.Cache, o.Fetcher = empty, fetch.New(empty, fetch.Options{Attempts: 1}) })
	dist := t.TempDir()
	_, err := b.Build(t.Context(), f.plan(b, r, builder.Keep), dist)
	var coder interface{ ExitCode() int }
	var hinter interface{ Hint() string }
	if !errors.As(err, &coder) || coder.ExitCode() != 12 || !errors.As(err, &hinter) || !strings.Contains(hinter.Hint(), "pgext lock "+r.Path) {
		t.Errorf("got %v, want exit code 12 and a hint to pgext lock", err)
	}
	if left := snapshot(t, dist, false); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Programs of the extension's own packages join the image where the base can
// run them, and the lock names what runs them.
func TestPrograms(t *testing.T) {
	d := thing("1.0-1")
	module := d.files
	d.files = func(arch string) []debtest.File {
		return append(module(arch),
			debtest.File{Path: "usr/bin/runs", Mode: 0o755, Content: "#!/bin/sh\n"},
			debtest.File{Path: "usr/bin/stays", Mode: 0o755, Content: "#!/usr/bin/python3\n"})
	}
	f := newFixture(t, d)
	b := f.builder()
	p := f.plan(b, f.recipe(""), builder.Keep)
	var interpreters []string
	for _, q := range p.Targets[0].Architectures[0].Pins.Base.Packages {
		for _, line := range q.Interpreters {
			interpreters = append(interpreters, q.Package+" "+line)
		}
	}
	if diff := cmp.Diff(interpreters, []string{"dash /bin/sh"}); diff != "" {
		t.Errorf("interpreters in the lock (-got +want):\n%s", diff)
	}
	got := f.build(b, p, t.TempDir())
	want := []string{
		"bin/runs", "lib/thing.so", "licenses/postgresql-18-thing/copyright",
		"share/extension/thing--1.0.sql", "share/extension/thing.control", "usr/lib/os-release",
	}
	if diff := cmp.Diff(paths(t, got.Path, got.Tags[0])["arm64"], want); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
	var codes []string
	for _, found := range got.Findings {
		codes = append(codes, found.Code+" "+found.Arch)
	}
	if diff := cmp.Diff(codes, []string{"PGX021 amd64", "PGX021 arm64"}); diff != "" {
		t.Errorf("findings (-got +want):\n%s", diff)
	}
}

// What the recipe bundles comes along although no ELF file asks for it, with
// the variable that leads to it.
func TestBundle(t *testing.T) {
	data := deb{name: "thing-data", version: "1", all: true, files: func(string) []debtest.File {
		return []debtest.File{{Path: "usr/share/thing/grid.bin", Content: "grid"}, {Path: "usr/share/thing-more", Content: "no"}}
	}}
	f := newFixture(t, thing("1.0-1"), data, library("libopened1", "libopened.so.1", "libc.so.6"))
	b := f.builder()
	r := f.recipe(`bundle:
  packages: [libopened1]
  data:
    - {package: thing-data, from: usr/share/thing, to: share/thing, env: THING_DATA}
`)
	p := f.plan(b, r, builder.Keep)
	want := bothArchs("libopened1 1-1 library, postgresql-18-thing 1.0-1 extension, thing-data 1 data")
	if diff := cmp.Diff(pinned(p), want); diff != "" {
		t.Errorf("pins (-got +want):\n%s", diff)
	}
	got := f.build(b, p, t.TempDir())
	files := strings.Join(paths(t, got.Path, got.Tags[0])["amd64"], "\n")
	for _, file := range []string{"share/thing/grid.bin", "system/libopened.so.1"} {
		if !strings.Contains(files, file) {
			t.Errorf("the image lacks %s:\n%s", file, files)
		}
	}
	if strings.Contains(files, "thing-more") {
		t.Errorf("the image has more than it was told to bundle:\n%s", files)
	}
	m := labelled(t, got)
	if diff := cmp.Diff(m.Env, []metadata.EnvVar{{Name: "THING_DATA", Value: "${image_root}/share/thing"}}); diff != "" {
		t.Errorf("variables (-got +want):\n%s", diff)
	}
}

// labelled returns the metadata of the first architecture.
func labelled(t *testing.T, i builder.Image) metadata.Metadata {
	t.Helper()
	found, err := image.At(i.Path).Open(i.Tags[0])
	if err != nil {
		t.Fatal(err)
	}
	labels, err := image.Labels(found.Images[0])
	if err != nil {
		t.Fatal(err)
	}
	m, err := metadata.Decode([]byte(labels["io.pgext.metadata"]))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// An update of the extension leaves the layer of libraries as it was.
func TestLibraryLayerStays(t *testing.T) {
	with := func(version string) []deb {
		return []deb{
			extension("postgresql-18-thing", version, "Source: thing\nDepends: liba1\n", "", "liba.so.1"),
			library("liba1", "liba.so.1", "libc.so.6"),
		}
	}
	f := newFixture(t, with("1.0-1")...)
	r := f.recipe("")
	layers := func(mode builder.Mode) []string {
		b := f.builder()
		got := f.build(b, f.plan(b, r, mode), t.TempDir())
		found, err := image.At(got.Path).Open(got.Tags[0])
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := found.Images[0].Manifest()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, l := range manifest.Layers {
			out = append(out, l.Digest.String())
		}
		return out
	}
	before := layers(builder.Keep)
	f.archive.Update(suite(with("1.1-1")...))
	after := layers(builder.Update)
	if len(before) != 2 || len(after) != 2 || before[0] != after[0] || before[1] == after[1] {
		t.Errorf("layers %q became %q: want the first the same, the second another", before, after)
	}
}

func TestFindingsError(t *testing.T) {
	e := &finding.FatalError{Findings: []finding.Finding{
		finding.New("PGX001", "lib/a.so", "needs x", "add x"),
		finding.New("PGX031", "", "a note", "nothing to do"),
		finding.New("PGX001", "lib/b.so", "needs x", "add x"),
	}}
	if got := strings.Count(e.Error(), "\n"); got != 1 || strings.Contains(e.Error(), "a note") {
		t.Errorf("got %q, want the two errors on a line each", e)
	}
	if got := e.Hint(); got != "add x" {
		t.Errorf("hint %q, want it once", got)
	}
}

// The lock of a plan is what Validate accepts and Parse reads back.
func TestLockRoundTrip(t *testing.T) {
	f := bundling(t)
	p := f.plan(f.builder(), f.recipe(""), builder.Keep)
	read, err := lock.Parse("pgext.lock", []byte(f.read("pgext.lock")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read, p.Lock); diff != "" {
		t.Errorf("the lock as read (-got +want):\n%s", diff)
	}
}
