package builder_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/judge"
	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

// bundling is an extension with a library that the base lacks.
func bundling(t *testing.T) *fixture {
	t.Helper()
	return newFixture(t,
		extension("postgresql-18-thing", "1:1.0+dfsg-1", "Source: thing\nHomepage: https://thing.example\nDepends: liba1\n", "", "liba.so.1"),
		library("liba1", "liba.so.1", "libc.so.6"))
}

// paths returns the files and links of an image, by architecture.
func paths(t *testing.T, dir, tag string) map[string][]string {
	t.Helper()
	found, err := image.At(dir).Open(tag)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, img := range found.Images {
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		flat, err := image.Flatten(t.Context(), img, image.FlattenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for e := range flat.Tree.All() {
			if e.Kind == filetree.File && !strings.HasPrefix(e.Path, "var/lib/dpkg/") {
				out[config.Architecture] = append(out[config.Architecture], e.Path)
			}
		}
	}
	return out
}

// The whole story, over an archive that is signed like a real one.
func TestBuild(t *testing.T) {
	f := bundling(t)
	b, dist := f.builder(), t.TempDir()
	got := f.build(b, f.plan(b, f.recipe(""), builder.Keep), dist)

	want := builder.Image{
		Name: "thing", Distro: "forky", Postgres: 18, Archs: []string{"amd64", "arm64"},
		Tags: [2]string{"1.0-18-forky", "1.0-202601020304-18-forky"}, Digest: got.Digest,
		Path: filepath.Join(dist, "thing", "oci"), Findings: got.Findings,
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("image (-got +want):\n%s", diff)
	}
	if worst, _ := finding.Worst(got.Findings); worst == finding.Error {
		t.Errorf("findings: %v", got.Findings)
	}
	each := []string{
		"lib/thing.so", "licenses/liba1/copyright", "licenses/postgresql-18-thing/copyright",
		"share/extension/thing--1.0.sql", "share/extension/thing.control", "system/liba.so.1", "usr/lib/os-release",
	}
	for _, tag := range got.Tags {
		if diff := cmp.Diff(paths(t, got.Path, tag), map[string][]string{"amd64": each, "arm64": each}); diff != "" {
			t.Errorf("files of %s (-got +want):\n%s", tag, diff)
		}
	}
}

func TestBuildLabels(t *testing.T) {
	f := bundling(t)
	b := f.builder(func(o *session.Options) { o.Annotations = map[string]string{"org.example.x": "y"} })
	got := f.build(b, f.plan(b, f.recipe("annotations: {org.example.x: lost, org.example.z: kept}\n"), builder.Keep), t.TempDir())
	found, err := image.At(got.Path).Open(got.Tags[0])
	if err != nil {
		t.Fatal(err)
	}
	labels, err := image.Labels(found.Images[1])
	if err != nil {
		t.Fatal(err)
	}
	m, err := metadata.Decode([]byte(labels["io.pgext.metadata"]))
	if err != nil {
		t.Fatal(err)
	}
	delete(labels, "io.pgext.metadata")
	want := map[string]string{
		"io.cloudnativepg.image.base.name":     "cnpg-minimal",
		"io.cloudnativepg.image.base.os":       "forky",
		"io.cloudnativepg.image.base.pgmajor":  "18",
		"io.cloudnativepg.image.sql.version":   "1.0",
		"org.opencontainers.image.base.name":   "cnpg-minimal",
		"org.opencontainers.image.created":     "2026-01-02T03:04:05Z",
		"org.opencontainers.image.description": "postgresql-18-thing in short",
		"org.opencontainers.image.licenses":    "PostgreSQL",
		"org.opencontainers.image.title":       "thing",
		"org.opencontainers.image.url":         "https://thing.example",
		"org.opencontainers.image.version":     "1.0",
	}
	if diff := cmp.Diff(labels, want); diff != "" {
		t.Errorf("labels (-got +want):\n%s", diff)
	}
	index, err := found.Index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if got := index.Annotations; got["org.example.x"] != "y" || got["org.example.z"] != "kept" {
		t.Errorf("annotations %v: want the command line's x and the recipe's z", got)
	}
	if m.Arch != "arm64" || m.Base.Postgres != "18.6" || m.Create[0] != "thing" || m.LDLibraryPath[0] != "system" {
		t.Errorf("metadata: %+v", m)
	}
}

// Every file of every package is in the report, under the digest of the image.
func TestBuildReport(t *testing.T) {
	f := bundling(t)
	b, dist := f.builder(), t.TempDir()
	got := f.build(b, f.plan(b, f.recipe(""), builder.Keep), dist)
	data, err := os.ReadFile(filepath.Join(dist, "thing", "1.0-18-forky-arm64.report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Digest   string
		Packages []struct {
			Package string
			Files   []struct{ Path string }
			Dropped []struct{ Paths []string }
		}
	}
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	accounted := map[string]bool{}
	for _, p := range report.Packages {
		for _, file := range p.Files {
			accounted[p.Package+" "+file.Path] = true
		}
		for _, dropped := range p.Dropped {
			for _, path := range dropped.Paths {
				accounted[p.Package+" "+path] = true
			}
		}
	}
	for _, want := range []string{
		"liba1 usr/lib/aarch64-linux-gnu/liba.so.1", "liba1 usr/share/doc/liba1/copyright",
		"postgresql-18-thing usr/lib/postgresql/18/lib/thing.so", "postgresql-18-thing usr/share/man/man1/thing.1.gz",
	} {
		if !accounted[want] {
			t.Errorf("the report does not tell of %s", want)
		}
	}
	found, err := image.At(got.Path).Find(report.Digest)
	if err != nil || found.Platform.Architecture != "arm64" {
		t.Errorf("the report is of %s: %+v, %v", report.Digest, found, err)
	}
}

// Neither folder, cache nor number of jobs shows in the bytes.
func TestBuildTwiceGivesTheSame(t *testing.T) {
	f := bundling(t)
	b := f.builder()
	p := f.plan(b, f.recipe(""), builder.Keep)
	first := f.build(b, p, t.TempDir())
	fresh := newCache(t)
	other := f.builder(func(o *session.Options) {
		o.Cache, o.Jobs, o.Program = fresh, 1, "another"
		o.Fetcher = fetch.New(fresh, fetch.Options{})
	})
	second := f.build(other, p, t.TempDir())
	if diff := cmp.Diff(snapshot(t, filepath.Dir(second.Path), false), snapshot(t, filepath.Dir(first.Path), false)); diff != "" {
		t.Errorf("files (-second +first):\n%s", diff)
	}
}

// One architecture alone equals its share of the whole.
func TestBuildOfOneArchitecture(t *testing.T) {
	f := bundling(t)
	b := f.builder()
	r := f.recipe("")
	both := f.build(b, f.plan(b, r, builder.Keep), t.TempDir())
	p, err := b.Plan(t.Context(), r, recipe.Selection{Archs: []string{"arm64"}}, builder.Locked)
	if err != nil {
		t.Fatal(err)
	}
	alone := f.build(b, p, t.TempDir())
	digest := func(i builder.Image, n int) string {
		found, err := image.At(i.Path).Open(i.Tags[0])
		if err != nil {
			t.Fatal(err)
		}
		d, err := found.Images[n].Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d.String()
	}
	if got, want := digest(alone, 0), digest(both, 1); got != want {
		t.Errorf("arm64 alone is %s, in the whole %s", got, want)
	}
}

// With the lock and the cache no archive is asked.
func TestBuildOffline(t *testing.T) {
	f := bundling(t)
	r := f.recipe("")
	first := f.build(f.builder(), f.plan(f.builder(), r, builder.Keep), t.TempDir())
	f.archive.ResetRequests()
	offline := f.builder(func(o *session.Options) { o.Fetcher = fetch.New(f.cache, fetch.Options{Offline: true}) })
	second := f.build(offline, f.plan(offline, r, builder.Locked), t.TempDir())
	if second.Digest != first.Digest || len(f.archive.Requests()) > 0 {
		t.Errorf("got %s with requests %q, want %s without any", second.Digest, f.archive.Requests(), first.Digest)
	}
}

func TestBuildUnchanged(t *testing.T) {
	f := bundling(t)
	r, dist := f.recipe(""), t.TempDir()
	build := func(change ...func(*session.Options)) builder.Image {
		b := f.builder(change...)
		return f.build(b, f.plan(b, r, builder.Keep), dist)
	}
	first := build()
	if first.Unchanged {
		t.Error("the first build says that nothing changed")
	}
	before := snapshot(t, dist, true)
	second := build()
	if diff := cmp.Diff(snapshot(t, dist, true), before); diff != "" || !second.Unchanged {
		t.Errorf("the second build: unchanged %v, files (-got +want):\n%s", second.Unchanged, diff)
	}
	second.Unchanged = false
	if diff := cmp.Diff(second, first); diff != "" {
		t.Errorf("what is told of it (-got +want):\n%s", diff)
	}

	blobs, err := filepath.Glob(filepath.Join(first.Path, "blobs/sha256/*"))
	if err != nil || len(blobs) == 0 {
		t.Fatalf("no blobs: %v", err)
	}
	for name, spoil := range map[string]func() error{
		"a report is gone": func() error { return os.Remove(filepath.Join(dist, "thing/1.0-18-forky-amd64.report.json")) },
		"a report is another": func() error {
			return os.WriteFile(filepath.Join(dist, "thing/1.0-18-forky-amd64.report.json"), nil, 0o600)
		},
		"a blob is gone":    func() error { return os.Remove(blobs[0]) },
		"the index is gone": func() error { return os.Remove(filepath.Join(first.Path, "index.json")) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if again := build(); again.Unchanged || again.Digest != first.Digest {
			t.Errorf("%s: unchanged %v, digest %s; want it made again, as %s", name, again.Unchanged, again.Digest, first.Digest)
		}
		if diff := cmp.Diff(snapshot(t, dist, false), names(before)); diff != "" {
			t.Errorf("%s: files (-got +want):\n%s", name, diff)
		}
	}
}

// Whatever the bytes depend on makes a build anew.
func TestBuildAfterAChangeOfOptions(t *testing.T) {
	f := bundling(t)
	r, dist := f.recipe(""), t.TempDir()
	build := func(change ...func(*session.Options)) builder.Image {
		b := f.builder(change...)
		return f.build(b, f.plan(b, r, builder.Keep), dist)
	}
	epoch := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	const tag = "1.0-202601020304-18-forky"
	for _, tc := range []struct {
		name   string
		change func(*session.Options)
		// same is true if the digest is, tag is the one that never moves.
		same bool
		tag  string
	}{
		{"program", func(o *session.Options) { o.Program = "another" }, true, tag},
		{"epoch", func(o *session.Options) { o.Epoch = &epoch }, false, "1.0-202701010000-18-forky"},
		{"revision", func(o *session.Options) { o.Revision = 2 }, true, tag + "-r2"},
		{"compression", func(o *session.Options) { o.Compression = image.Zstd }, false, tag},
		{"annotations", func(o *session.Options) { o.Annotations = map[string]string{"a": "b"} }, false, tag},
	} {
		t.Run(tc.name, func(t *testing.T) {
			first := build()
			got := build(tc.change)
			if got.Unchanged || (got.Digest == first.Digest) != tc.same || got.Tags[1] != tc.tag {
				t.Errorf("unchanged %v, digest %s after %s, tag %s; want it made, the same digest: %v, tag %s",
					got.Unchanged, got.Digest, first.Digest, got.Tags[1], tc.same, tc.tag)
			}
		})
	}
}

// snapshot returns what is known of every file below dir: the content or, with
// times, when it was written as well.
func snapshot(t *testing.T, dir string, times bool) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[name] = info.Mode().String() + " " + string(data)
		if times {
			out[name] = info.ModTime().String() + "\n" + out[name]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// names drops the times of a snapshot.
func names(s map[string]string) map[string]string {
	out := map[string]string{}
	for name, text := range s {
		_, out[name], _ = strings.Cut(text, "\n")
	}
	return out
}

// Findings that are errors end a plan, so that they are not locked, and a build
// whose lock is older than they are, before anything is written.
func TestFindingsStop(t *testing.T) {
	f := newFixture(t, thing("1.0-1"))
	b, dist := f.builder(), t.TempDir()
	if err := f.plan(b, f.recipe(""), builder.Keep).WriteLock(f.t.Context()); err != nil {
		t.Fatal(err)
	}
	r := f.recipe("create: [other]\nparameters: {port: '1'}\n")
	p := f.plan(b, r, builder.Keep)
	_, planned := b.Plan(t.Context(), r, recipe.Selection{}, builder.Update)
	_, built := b.Build(t.Context(), p, dist)
	for _, err := range []error{planned, built} {
		var stopped *finding.FatalError
		if !errors.As(err, &stopped) || stopped.ExitCode() != 3 {
			t.Fatalf("got %v, want a FindingsError", err)
		}
		for _, want := range []string{"PGX006", "PGX007", "(amd64)", "(arm64)"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s is not in %q", want, err)
			}
		}
	}
	if left := snapshot(t, dist, false); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	found, err := judge.LintRecipe(t.Context(), b, r, recipe.Selection{})
	if worst, _ := finding.Worst(found); err != nil || worst != finding.Error {
		t.Errorf("LintRecipe() = %v, %v; want the same findings and no error", found, err)
	}
}
