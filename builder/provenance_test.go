package builder_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/archive/archivetest"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
	"github.com/pgext/pgext/internal/verify"
)

// statements returns the provenance of what the plan was built to, in the order
// of the index.
func (f *fixture) statements(b *builder.Builder, p *builder.Plan, built builder.Image) []provenance.Statement {
	f.t.Helper()
	parts, err := b.Parts(f.t.Context(), p, built.Tags[0])
	if err != nil {
		f.t.Fatal(err)
	}
	var out []provenance.Statement
	for _, part := range parts {
		s, err := b.Provenance(part)
		if err != nil {
			f.t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// parsed is the statement after it was written and read.
func parsed(t *testing.T, s provenance.Statement) provenance.Statement {
	t.Helper()
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	out, err := provenance.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestProvenance(t *testing.T) {
	f := bundling(t)
	b, dist := f.builder(), t.TempDir()
	r := f.recipe("# a comment\n")
	p := f.plan(b, r, builder.Keep)
	s := parsed(t, f.statements(b, p, f.build(b, p, dist))[0])
	d := s.Predicate.BuildDefinition
	if got, want := d.ExternalParameters.Recipe, f.read("recipe.yaml"); got != want {
		t.Errorf("the recipe is not word for word:\n%s", cmp.Diff(want, got))
	}
	want := []provenance.Rewrite{
		{Path: "share/extension/thing--1.0.sql", Package: "postgresql-18-thing", From: "usr/share/postgresql/18/extension/thing--1.0.sql", Change: "1 × $libdir/"},
	}
	if diff := cmp.Diff(want, d.InternalParameters.Rewrites); diff != "" {
		t.Errorf("rewrites (-want +got):\n%s", diff)
	}
	at := map[string]string{}
	for _, dep := range d.ResolvedDependencies {
		at[dep.Name] = strings.ReplaceAll(dep.URI+" "+dep.DownloadLocation, f.archive.URL, "ROOT")
	}
	places := map[string]string{
		"cnpg-minimal":        " ",
		"test forky":          "ROOT/dists/forky/InRelease ",
		"liba1":               "pkg:deb/debian/liba1@1-1?arch=amd64&distro=debian-14 ROOT/pool/main/liba/liba1/liba1_1-1_amd64.deb",
		"postgresql-18-thing": "pkg:deb/debian/postgresql-18-thing@1%3A1.0%2Bdfsg-1?arch=amd64&distro=debian-14&upstream=thing ROOT/pool/main/t/thing/postgresql-18-thing_1.0%2Bdfsg-1_amd64.deb",
	}
	if diff := cmp.Diff(places, at); diff != "" {
		t.Errorf("dependencies (-want +got):\n%s", diff)
	}
}

// Other locked targets, and the folder of the recipe, do not touch what is
// said.
func TestEvidenceOfAShare(t *testing.T) {
	f := bundling(t)
	r := f.recipe("")
	said := func(b *builder.Builder, p *builder.Plan, index int) []verify.Document {
		t.Helper()
		parts, err := b.Parts(t.Context(), p, f.build(b, p, t.TempDir()).Tags[0])
		if err != nil {
			t.Fatal(err)
		}
		return evidence(t, b, parts[index])
	}
	b := f.builder()
	whole := said(b, f.plan(b, r, builder.Keep), 1)

	elsewhere := *r
	elsewhere.Path = t.TempDir() + "/recipe.yaml"
	one := f.builder()
	q, err := one.Plan(t.Context(), r, recipe.Selection{Archs: []string{"arm64"}}, builder.Locked)
	if err != nil {
		t.Fatal(err)
	}
	q.Recipe = &elsewhere
	for i, alone := range said(one, q, 0) {
		if diff := cmp.Diff(string(whole[i].Content), string(alone.Content)); diff != "" {
			t.Errorf("%s of arm64 in the whole, and alone (-whole +alone):\n%s", alone.Predicate, diff)
		}
	}
}

func TestRebuild(t *testing.T) {
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, change := range map[string]func(*session.Options){
		"plain": func(*session.Options) {},
		"options": func(o *session.Options) {
			o.Annotations, o.Compression, o.Epoch, o.Revision = map[string]string{"org.example.x": "y"}, image.Zstd, &epoch, 3
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := bundling(t)
			b, dist := f.builder(change), t.TempDir()
			p := f.plan(b, f.recipe(""), builder.Keep)
			built := f.build(b, p, dist)
			statements := f.statements(b, p, built)
			for i := range statements {
				statements[i] = parsed(t, statements[i])
			}

			f.archive.ResetRequests()
			offline := f.builder(func(o *session.Options) { o.Fetcher = fetch.New(f.cache, fetch.Options{Offline: true}) })
			again, err := offline.Rebuild(t.Context(), statements, "")
			if err != nil {
				t.Fatal(err)
			}
			if !again.Same() || again.Digest != built.Digest || len(again.Images) != 2 {
				t.Errorf("rebuilt to %s %+v, want %s", again.Digest, again.Images, built.Digest)
			}
			if got := f.archive.Requests(); len(got) > 0 {
				t.Errorf("an archive was asked: %q", got)
			}

			// Elsewhere: the keys of the archive are not at hand, its packages are.
			empty := newCache(t)
			fresh := builder.New(session.New(session.Options{Cache: empty, Fetcher: fetch.New(empty, fetch.Options{})}))
			if again, err = fresh.Rebuild(t.Context(), statements[1:], ""); err != nil || !again.Same() {
				t.Errorf("elsewhere: %+v, %v", again.Images, err)
			}

			statements[0].Predicate.BuildDefinition.ExternalParameters.Annotations = map[string]string{"org.example.x": "z"}
			if again, err = offline.Rebuild(t.Context(), statements[:1], ""); err != nil || again.Same() {
				t.Errorf("with another annotation: %+v, %v; want another digest", again.Images, err)
			}
		})
	}
}

func TestRebuildRefuses(t *testing.T) {
	f := bundling(t)
	b, dist := f.builder(), t.TempDir()
	p := f.plan(b, f.recipe(""), builder.Keep)
	good := f.statements(b, p, f.build(b, p, dist))[0]
	change := func(fn func(*provenance.BuildDefinition)) provenance.Statement {
		s := parsed(t, good)
		fn(&s.Predicate.BuildDefinition)
		return s
	}
	recipeText := func(old, with string) func(*provenance.BuildDefinition) {
		return func(d *provenance.BuildDefinition) {
			text := strings.Replace(d.ExternalParameters.Recipe, old, with, 1)
			if text == d.ExternalParameters.Recipe {
				t.Fatalf("the recipe has no %q", old)
			}
			d.ExternalParameters.Recipe = text
		}
	}
	f.archive.Update(archivetest.Suite{Name: "forky"})
	empty := newCache(t)
	fresh := f.builder(func(o *session.Options) { o.Cache, o.Fetcher = empty, fetch.New(empty, fetch.Options{Attempts: 1}) })
	for _, tt := range []struct {
		name    string
		builder *builder.Builder
		s       provenance.Statement
		want    string
		code    int
	}{
		{"output version", b, change(func(d *provenance.BuildDefinition) { d.InternalParameters.Output = 99 }), "rebuilding: it was built with output version 99", 12},
		{"recipe of another lock", b, change(recipeText("${pg}-thing", "${pg}-other")), "rebuilding: the lock in the provenance is not of the recipe in it", 12},
		{"target that the recipe lacks", b, change(recipeText("archs: [amd64, arm64]", "archs: [arm64]")), "rebuilding: selecting targets of recipe.yaml: nothing selected is for forky", 10},
		{"packages that are gone", fresh, parsed(t, good), "rebuilding: forky/18/amd64: a package that it was built from is to be found nowhere", 12},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.builder.Rebuild(t.Context(), []provenance.Statement{tt.s}, "")
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || exitCodeOf(err) != tt.code {
				t.Errorf("Rebuild() = %v, exit code %d; want %q, %d", err, exitCodeOf(err), tt.want, tt.code)
			}
			var e *builder.RebuildError
			if tt.code == 12 && (!errors.As(err, &e) || e.Hint() == "") {
				t.Errorf("%v has no hint", err)
			}
		})
	}
}

// TestRebuildDisagrees: statements about one index that cannot all be true.
func TestRebuildDisagrees(t *testing.T) {
	f := bundling(t)
	b, dist := f.builder(), t.TempDir()
	p := f.plan(b, f.recipe(""), builder.Keep)
	good := f.statements(b, p, f.build(b, p, dist))
	for _, tt := range []struct{ name, old, with, want string }{
		{"base", `"name": "cnpg-minimal"`, `"name": "image:oci:/etc"`, "rebuilding: merging metadata: base differs"},
	} {
		other := parsed(t, good[1])
		e := &other.Predicate.BuildDefinition.ExternalParameters
		before := e.Lock
		if e.Lock = strings.Replace(before, tt.old, tt.with, 1); e.Lock == before {
			t.Fatalf("the lock has no %s", tt.old)
		}
		_, err := b.Rebuild(t.Context(), []provenance.Statement{parsed(t, good[0]), other}, "")
		var disagree *builder.DisagreeError
		if !errors.As(err, &disagree) || exitCodeOf(err) != 13 || disagree.Hint() == "" || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: Rebuild() = %v, exit code %d", tt.name, err, exitCodeOf(err))
		}
	}
}

// A file beside the recipe is rebuilt from the cache, or from where somebody
// says that it is.
func TestRebuildOfAFile(t *testing.T) {
	f := newFixture(t, library("libx1", "libx.so.1", "libc.so.6"))
	deb := vendorDeb("amd64", "libx1")
	f.write("thing.deb", string(deb))
	sum := fmt.Sprintf("%x", sha256.Sum256(deb))
	r := f.fileRecipe(fmt.Sprintf("{path: thing.deb, arch: amd64, sha256: %s}", sum))
	b, dist := f.builder(), t.TempDir()
	p, err := b.Plan(t.Context(), r, recipe.Selection{Archs: []string{"amd64"}}, builder.Keep)
	if err != nil {
		t.Fatal(err)
	}
	s := parsed(t, f.statements(b, p, f.build(b, p, dist))[0])
	if again, err := b.Rebuild(t.Context(), []provenance.Statement{s}, ""); err != nil || !again.Same() {
		t.Errorf("from the cache: %+v, %v", again.Images, err)
	}
	f.cache = newCache(t)
	_, err = f.builder().Rebuild(t.Context(), []provenance.Statement{s}, "")
	var e *builder.RebuildError
	if !errors.As(err, &e) || !strings.Contains(e.Error(), "thing.deb is a file beside the recipe") || !strings.Contains(e.Hint(), sum) {
		t.Errorf("without the file: %v", err)
	}
	if again, err := f.builder().Rebuild(t.Context(), []provenance.Statement{s}, f.dir); err != nil || !again.Same() {
		t.Errorf("from the folder: %+v, %v", again.Images, err)
	}
}
