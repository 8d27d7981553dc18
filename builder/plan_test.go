package builder_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/fetch"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/recipe"
	"github.com/pgext/pgext/internal/session"
)

// pinned returns "ARCH: PACKAGE VERSION ROLE, …" for every architecture.
func pinned(p *builder.Plan) []string {
	var out []string
	for _, t := range p.Targets {
		for _, a := range t.Architectures {
			var packages []string
			for _, l := range a.Pins.Packages {
				packages = append(packages, fmt.Sprintf("%s %s %s", l.Package, l.Version, l.Role))
			}
			out = append(out, a.Pins.Arch+": "+strings.Join(packages, ", "))
		}
	}
	return out
}

func bothArchs(packages string) []string { return []string{"amd64: " + packages, "arm64: " + packages} }

func TestPlanModes(t *testing.T) {
	f := newFixture(t, thing("1.0-1"))
	r := f.recipe("")
	old, moved := bothArchs("postgresql-18-thing 1.0-1 extension"), bothArchs("postgresql-18-thing 1.1-1 extension")

	_, err := f.builder().Plan(t.Context(), r, recipe.Selection{}, builder.Locked)
	var stale *failure.Error
	if want := " is out of date: forky/18/amd64 is not locked; forky/18/arm64 is not locked"; !errors.As(err, &stale) || !strings.HasSuffix(err.Error(), want) {
		t.Fatalf("locked, without a lock: got %v, want %s", err, want)
	}
	if stale.ExitCode() != 11 || stale.Hint() != "pgext lock "+r.Path {
		t.Errorf("got exit code %d and hint %q", stale.ExitCode(), stale.Hint())
	}

	p := f.plan(f.builder(), r, builder.Keep)
	if diff := cmp.Diff(pinned(p), old); diff != "" || !p.Changed {
		t.Errorf("a first plan: changed %v, pins (-got +want):\n%s", p.Changed, diff)
	}
	written := f.read("pgext.lock")

	f.archive.Update(suite(thing("1.1-1")))
	f.archive.ResetRequests()
	for name, mode := range map[string]builder.Mode{"kept": builder.Keep, "locked": builder.Locked} {
		p = f.plan(f.builder(), r, mode)
		if diff := cmp.Diff(pinned(p), old); diff != "" || p.Changed {
			t.Errorf("%s: changed %v, pins (-got +want):\n%s", name, p.Changed, diff)
		}
	}
	if requests := f.archive.Requests(); len(requests) > 0 {
		t.Errorf("a plan that the lock answers asked the archive for %q", requests)
	}
	if got := f.read("pgext.lock"); got != written {
		t.Errorf("the lock was rewritten:\n%s", cmp.Diff(got, written))
	}

	p = f.plan(f.builder(), r, builder.Update)
	if diff := cmp.Diff(pinned(p), moved); diff != "" || !p.Changed {
		t.Errorf("updated: changed %v, pins (-got +want):\n%s", p.Changed, diff)
	}
}

// What a recipe says that decides about packages makes its lock out of date;
// what it says to consumers does not.
func TestPlanOfAChangedRecipe(t *testing.T) {
	f := newFixture(t, thing("1.0-1"), library("liba1", "liba.so.1", "libc.so.6"))
	f.plan(f.builder(), f.recipe(""), builder.Keep)

	if _, err := f.builder().Plan(t.Context(), f.recipe("summary: other\n"), recipe.Selection{}, builder.Locked); err != nil {
		t.Errorf("another summary: %v", err)
	}
	r := f.recipe("bundle: {packages: [liba1]}\n")
	_, err := f.builder().Plan(t.Context(), r, recipe.Selection{Archs: []string{"arm64"}}, builder.Locked)
	if want := " is out of date: forky/18/arm64 was locked for another recipe"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Fatalf("another package to bundle: got %v, want %s", err, want)
	}
	p := f.plan(f.builder(), r, builder.Keep)
	if diff := cmp.Diff(pinned(p), bothArchs("liba1 1-1 library, postgresql-18-thing 1.0-1 extension")); diff != "" {
		t.Errorf("pins (-got +want):\n%s", diff)
	}
}

// A package that joins the image and turns out to give it nothing is not
// pinned: its updates are none of the image's.
func TestPlanPinsGiversOnly(t *testing.T) {
	f := newFixture(t,
		extension("postgresql-18-thing", "1.0-1", "Source: thing\nDepends: postgresql-18-thing-doc\n", ""),
		deb{name: "postgresql-18-thing-doc", version: "1.0-1", fields: "Source: thing\n", all: true})
	p := f.plan(f.builder(), f.recipe(""), builder.Keep)
	if diff := cmp.Diff(pinned(p), bothArchs("postgresql-18-thing 1.0-1 extension")); diff != "" {
		t.Errorf("pins (-got +want):\n%s", diff)
	}
}

// One architecture is resolved, the other's pins stay.
func TestPlanOfASelection(t *testing.T) {
	f := newFixture(t, thing("1.0-1"))
	r := f.recipe("")
	f.plan(f.builder(), r, builder.Keep)
	f.archive.Update(suite(thing("1.1-1")))
	p, err := f.builder().Plan(t.Context(), r, recipe.Selection{Archs: []string{"arm64"}}, builder.Update)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pinned(p), []string{"arm64: postgresql-18-thing 1.1-1 extension"}); diff != "" {
		t.Errorf("pins (-got +want):\n%s", diff)
	}
	if pins, ok := p.Lock.Find("forky", 18, "amd64"); !ok || pins.Packages[0].Version != "1.0-1" {
		t.Errorf("the lock's amd64: got %v, %v; want 1.0-1", pins.Packages, ok)
	}
}

func TestPlanWithADamagedLock(t *testing.T) {
	f := newFixture(t, thing("1.0-1"))
	f.write("pgext.lock", "{")
	r := f.recipe("")
	var invalid *failure.Error
	if _, err := f.builder().Plan(t.Context(), r, recipe.Selection{}, builder.Keep); !errors.As(err, &invalid) || invalid.ExitCode() != 11 {
		t.Errorf("kept: got %v, want exit code 11", err)
	}
	f.plan(f.builder(), r, builder.Update)
	if _, err := lock.Parse("pgext.lock", []byte(f.read("pgext.lock"))); err != nil {
		t.Errorf("the lock after an update: %v", err)
	}
}

// With two faults it is always the first that is reported.
func TestPlanReportsTheFirstFault(t *testing.T) {
	f := newFixture(t)
	for range 5 {
		_, err := f.builder().Plan(t.Context(), f.recipe(""), recipe.Selection{}, builder.Keep)
		want := "planning " + f.dir + "/recipe.yaml for forky/18/amd64: "
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Fatalf("got %v, want %s…", err, want)
		}
	}
	if _, err := os.Stat(f.dir + "/pgext.lock"); err == nil {
		t.Error("a failed plan left a lock")
	}
}

func TestPlanRefuses(t *testing.T) {
	f := newFixture(t, thing("1.0-1"), library("libgone1", "liba.so.1"),
		extension("postgresql-18-lost", "1.0-1", "", "", "libgone.so.1"))
	for _, tc := range []struct {
		name, recipe string
		code         int
		want         string
	}{
		{"a package of the base", "name: x\nsource: {deb: {packages: [dash]}}\n", 10, "dash: already part of the base cnpg-minimal"},
		{"an unknown package", "name: x\nsource: {deb: {packages: [postgresql-18-thingy]}}\n", 12, "postgresql-18-thingy"},
		{"a library that nobody has", "name: x\nsource: {deb: {packages: [postgresql-18-lost]}}\n", 3, "lib/lost.so: needs libgone.so.1"},
		{"source.tree", "name: x\nsource: {tree: [{path: x}]}\n", 10, "does not build from source.tree"},
		{"source.pgxs", "name: x\nsource: {pgxs: {path: x}}\n", 10, "does not build from source.pgxs"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := fmt.Sprintf("%sarchives:\n  - {name: test, url: %q, suite: forky, signed_by: key.asc}\n", tc.recipe, f.archive.URL)
			r, err := recipe.Parse(f.dir+"/x.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.builder().Plan(t.Context(), r, recipe.Selection{Archs: []string{"amd64"}}, builder.Keep)
			var coder interface{ ExitCode() int }
			if !errors.As(err, &coder) || coder.ExitCode() != tc.code || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want …%s… with exit code %d", err, tc.want, tc.code)
			}
			var hinter interface{ Hint() string }
			if !errors.As(err, &hinter) || hinter.Hint() == "" {
				t.Errorf("%v: has no hint", err)
			}
		})
	}
}

func TestRequires(t *testing.T) {
	f := newFixture(t,
		extension("postgresql-18-thing", "1.0-1", "Source: thing\nDepends: postgresql-18-other\n", "requires = 'plpgsql, cube, other, absent'\n"),
		extension("postgresql-18-other", "2.0-1", "Source: other\n", ""))
	pins := f.plan(f.builder(), f.recipe(""), builder.Keep).Targets[0].Architectures[0].Pins
	want := []lock.Require{{Extension: "absent"}, {Extension: "other", Package: "postgresql-18-other", Image: "other"}}
	if diff := cmp.Diff(pins.Requires, want); diff != "" {
		t.Errorf("requires (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(pins.Base.Extensions, []string{"cube"}); diff != "" {
		t.Errorf("extensions of the base (-got +want):\n%s", diff)
	}
	if len(pins.Packages) != 1 {
		t.Errorf("pinned %v, want the thing alone", pins.Packages)
	}

	pins = f.plan(f.builder(), f.recipe("requires: [other, 'module:x']\n"), builder.Keep).Targets[0].Architectures[0].Pins
	want = []lock.Require{{Module: "x"}, {Extension: "other", Package: "postgresql-18-other", Image: "other"}}
	if diff := cmp.Diff(pins.Requires, want); diff != "" {
		t.Errorf("requires of the recipe (-got +want):\n%s", diff)
	}
}

// A dry run writes nothing and tells what apt adds, for locked targets too.
func TestDryRun(t *testing.T) {
	f := newFixture(t,
		extension("postgresql-18-thing", "1.0-1", "Source: thing\nDepends: liba1, data\n", "", "liba.so.1"),
		library("liba1", "liba.so.1", "libc.so.6"), deb{name: "data", version: "1", all: true})
	r := f.recipe("")
	resolved := func(mode builder.Mode) (out []string) {
		p, err := f.builder().DryRun(t.Context(), r, recipe.Selection{Archs: []string{"arm64"}}, mode)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range p.Targets[0].Architectures[0].Resolved {
			out = append(out, q.Name+" "+q.Arch)
		}
		return out
	}
	want := []string{"data all", "liba1 arm64", "postgresql-18-thing arm64"}
	if diff := cmp.Diff(resolved(builder.Keep), want); diff != "" {
		t.Errorf("unlocked (-got +want):\n%s", diff)
	}
	if _, err := os.Stat(f.dir + "/pgext.lock"); err == nil {
		t.Error("a dry run left a lock")
	}
	f.plan(f.builder(), r, builder.Keep)
	if diff := cmp.Diff(resolved(builder.Keep), want); diff != "" {
		t.Errorf("locked target (-got +want):\n%s", diff)
	}
	f.archive.ResetRequests()
	if got := resolved(builder.Locked); got != nil || len(f.archive.Requests()) > 0 {
		t.Errorf("--locked resolved %q and asked for %q", got, f.archive.Requests())
	}
}

// The result must not depend on what was cached when it was found.
func TestPlanTwiceGivesTheSame(t *testing.T) {
	f := newFixture(t,
		extension("postgresql-18-thing", "1.0-1", "Source: thing\nDepends: libicu76\n", "", "libicudata.so.76"),
		library("libicu76", "libicudata.so.76", "libc.so.6"), library("aaa1", "libicudata.so.76"))
	r := f.recipe("")
	cold := f.plan(f.builder(), r, builder.Update).Lock.Encode()
	warm := f.plan(f.builder(), r, builder.Update).Lock.Encode()
	fresh := newCache(t)
	one := f.plan(f.builder(func(o *session.Options) {
		o.Cache, o.Jobs = fresh, 1
		o.Fetcher = fetch.New(fresh, fetch.Options{Jobs: 1})
	}), r, builder.Update).Lock.Encode()
	if diff := cmp.Diff(string(warm), string(cold)); diff != "" {
		t.Errorf("warm (-got +cold):\n%s", diff)
	}
	if diff := cmp.Diff(string(one), string(cold)); diff != "" {
		t.Errorf("from nothing, one job (-got +cold):\n%s", diff)
	}
}

// However many architectures, majors or recipes need an archive, it is opened
// once.
func TestArchivesAreOpenedOnce(t *testing.T) {
	f := newFixture(t, thing("1.0-1"))
	b := f.builder()
	for range 2 {
		f.plan(b, f.recipe(""), builder.Update)
	}
	asked := 0
	for _, r := range f.archive.Requests() {
		if strings.HasSuffix(r, "/InRelease") {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("InRelease was asked for %d times, want once:\n%s", asked, strings.Join(f.archive.Requests(), "\n"))
	}
}
