package closure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/finding"
)

// library returns the contents of a package with one library.
func library(soname string, needed ...string) *debinfo.Info {
	return &debinfo.Info{Objects: map[string]elf.Object{
		"usr/lib/x86_64-linux-gnu/" + soname: {Arch: "amd64", Type: "dyn", SONAME: soname, Needed: needed},
	}}
}

// world is a set of packages with what is in them; it notes which were looked
// into.
type world struct {
	contents map[string]*debinfo.Info
	asked    []string
}

func (w *world) scan(_ context.Context, packages []apt.Package) ([]*debinfo.Info, error) {
	w.asked = append(w.asked, strings.Join(names(packages), " "))
	out := make([]*debinfo.Info, len(packages))
	for i, p := range packages {
		out[i] = w.contents[p.Name]
		if out[i] == nil {
			out[i] = &debinfo.Info{}
		}
	}
	return out, nil
}

func module(needed ...string) elf.Root {
	return elf.Root{Package: "postgresql-18-x", Path: "lib/x.so", Object: elf.Object{Arch: "amd64", Type: "dyn", Needed: needed}}
}

// sonames returns "package soname" lines.
func sonames(providers []elf.Provider) []string {
	var out []string
	for _, p := range providers {
		out = append(out, p.Package+" "+p.SONAME)
	}
	return out
}

type outcome struct {
	// Asked are the batches that were looked into, in order.
	Asked     []string
	Bundled   []string
	Libraries []string
	Base      []string
	Missing   []string
}

func outcomeOf(w *world, a Result) outcome {
	o := outcome{Asked: w.asked, Bundled: sonames(a.Bundled), Libraries: names(a.Libraries)}
	for _, s := range a.Base {
		o.Base = append(o.Base, s.Package.Name+" "+strings.Join(s.Libraries, " "))
	}
	for _, m := range a.Missing {
		o.Missing = append(o.Missing, m.Library)
	}
	return o
}

type searchCase struct {
	name                   string
	roots                  []elf.Root
	members, base, offered []apt.Package
	contents               map[string]*debinfo.Info
	want                   outcome
}

// check compares what Search finds with what the search wants.
func (s searchCase) check(t *testing.T) {
	t.Helper()
	w := &world{contents: s.contents}
	a, err := Search(t.Context(), Input{
		Arch: "amd64", Roots: s.roots, Members: s.members, Base: s.base, Offered: s.offered, Scan: w.scan,
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(outcomeOf(w, a), s.want); diff != "" {
		t.Errorf("Search() (-got +want):\n%s", diff)
	}
}

var searches = []searchCase{
	{
		name:    "nothing is needed, nothing is looked into",
		roots:   []elf.Root{module()},
		members: []apt.Package{pkg("postgresql-18-x", "x", "libc6")},
		base:    []apt.Package{pkg("libc6", "glibc", "")},
	},
	{
		name:     "the dependency that is named after the library is enough",
		roots:    []elf.Root{module("libc.so.6")},
		members:  []apt.Package{pkg("postgresql-18-x", "x", "libc6, libz1")},
		base:     []apt.Package{pkg("libc6", "glibc", ""), pkg("libz1", "z", "")},
		contents: map[string]*debinfo.Info{"libc6": library("libc.so.6")},
		want:     outcome{Asked: []string{"libc6"}, Base: []string{"libc6 libc.so.6"}},
	},
	{
		name:     "a dependency goes before another package of a fitting name",
		roots:    []elf.Root{module("liba.so.1")},
		members:  []apt.Package{pkg("postgresql-18-x", "x", "liba1")},
		base:     []apt.Package{pkg("liba-1", "other", "")},
		offered:  []apt.Package{pkg("liba1", "a", "")},
		contents: map[string]*debinfo.Info{"liba1": library("liba.so.1"), "liba-1": library("liba.so.1")},
		want:     outcome{Asked: []string{"liba1"}, Bundled: []string{"liba1 liba.so.1"}, Libraries: []string{"liba1"}},
	},
	{
		name:    "the needs of what is bundled are followed through its own dependencies",
		roots:   []elf.Root{module("libproj.so.25")},
		members: []apt.Package{pkg("postgresql-18-x", "x", "libproj25")},
		base:    []apt.Package{pkg("libc6", "glibc", "")},
		offered: []apt.Package{pkg("libproj25", "proj", "libsqlite3-0, libc6"), pkg("libsqlite3-0", "sqlite3", "libc6")},
		contents: map[string]*debinfo.Info{
			"libproj25": library("libproj.so.25", "libsqlite3.so.0", "libc.so.6"), "libsqlite3-0": library("libsqlite3.so.0"),
			"libc6": library("libc.so.6"),
		},
		want: outcome{
			Asked: []string{"libproj25", "libc6 libsqlite3-0"}, Bundled: []string{"libproj25 libproj.so.25", "libsqlite3-0 libsqlite3.so.0"},
			Libraries: []string{"libproj25", "libsqlite3-0"}, Base: []string{"libc6 libc.so.6"},
		},
	},
	{
		name:    "a library of an odd name is found among the libraries depended on",
		roots:   []elf.Root{module("libicudata.so.76")},
		members: []apt.Package{pkg("postgresql-18-x", "x", "libicu76, tool")},
		offered: []apt.Package{pkg("libicu76", "icu", ""), {Name: "tool", Arch: "amd64", Section: "utils"}},
		contents: map[string]*debinfo.Info{
			"libicu76": library("libicudata.so.76"), "tool": {},
		},
		want: outcome{Asked: []string{"libicu76"}, Bundled: []string{"libicu76 libicudata.so.76"}, Libraries: []string{"libicu76"}},
	},
	{
		name:    "the base has it though nobody depends on it",
		roots:   []elf.Root{module("libpq.so.5")},
		members: []apt.Package{pkg("postgresql-18-x", "x", "postgresql-18")},
		base:    []apt.Package{pkg("libpq5", "postgresql-18", ""), {Name: "postgresql-18", Arch: "amd64", Section: "database"}},
		contents: map[string]*debinfo.Info{
			"libpq5": library("libpq.so.5"),
		},
		want: outcome{Asked: []string{"libpq5"}, Base: []string{"libpq5 libpq.so.5"}},
	},
	{
		name:    "what nobody has is missing when everything was looked into, tier by tier",
		roots:   []elf.Root{module("libgone.so.1")},
		members: []apt.Package{pkg("postgresql-18-x", "x", "liba1, tool, text")},
		base:    []apt.Package{pkg("libb1", "b", ""), {Name: "bash", Arch: "amd64", Section: "shells"}},
		offered: []apt.Package{
			pkg("liba1", "a", ""), pkg("libd1", "d", ""),
			{Name: "text", Arch: "all", Section: "libs"},
			{Name: "tool", Arch: "amd64", Section: "utils"},
		},
		want: outcome{Asked: []string{"liba1", "tool", "libb1", "libd1", "bash"}, Missing: []string{"libgone.so.1"}},
	},
	{
		name:    "a path is nobody's library",
		roots:   []elf.Root{module("/opt/lib/x.so")},
		members: []apt.Package{pkg("postgresql-18-x", "x", "liba1")},
		offered: []apt.Package{pkg("liba1", "a", "")},
		want:    outcome{Missing: []string{"/opt/lib/x.so"}},
	},
	{
		name:    "files for another architecture do not count",
		roots:   []elf.Root{module("liba.so.1")},
		members: []apt.Package{pkg("postgresql-18-x", "x", "liba1")},
		offered: []apt.Package{pkg("liba1", "a", "")},
		contents: map[string]*debinfo.Info{"liba1": {Objects: map[string]elf.Object{
			"usr/lib/liba.so.1": {Arch: "arm64", Type: "dyn", SONAME: "liba.so.1"},
		}}},
		want: outcome{Asked: []string{"liba1"}, Missing: []string{"liba.so.1"}},
	},
	{
		name:    "programs give no library",
		roots:   []elf.Root{module("prog")},
		members: []apt.Package{pkg("postgresql-18-x", "x", "liba1")},
		offered: []apt.Package{pkg("liba1", "a", "")},
		contents: map[string]*debinfo.Info{"liba1": {Objects: map[string]elf.Object{
			"usr/bin/prog": {Arch: "amd64", Type: "exec"},
		}}},
		want: outcome{Asked: []string{"liba1"}, Missing: []string{"prog"}},
	},
}

func TestSearch(t *testing.T) {
	for _, tc := range searches {
		t.Run(tc.name, tc.check)
	}
}

// The order of the lists, and so of whatever made them, decides nothing.
func TestSearchTwiceGivesTheSame(t *testing.T) {
	for _, tc := range searches {
		t.Run(tc.name, func(t *testing.T) {
			for _, list := range [][]apt.Package{tc.members, tc.base, tc.offered} {
				slices.Reverse(list)
			}
			tc.check(t)
		})
	}
}

// Two packages have the library, one of them the dependency: which one is
// bundled must not depend on which was looked into for another's sake.
func TestSearchPrefersTheDependency(t *testing.T) {
	w := &world{contents: map[string]*debinfo.Info{
		"liba1": library("liba.so.1"), "aaa-compat": library("liba.so.1"),
	}}
	a, err := Search(t.Context(), Input{
		Arch: "amd64", Roots: []elf.Root{module("liba.so.1")},
		Members: []apt.Package{pkg("postgresql-18-x", "x", "liba1")},
		Offered: []apt.Package{pkg("aaa-compat", "a", ""), pkg("liba1", "a", "")},
		Scan:    w.scan,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := outcome{Asked: []string{"liba1"}, Bundled: []string{"liba1 liba.so.1"}, Libraries: []string{"liba1"}}
	if diff := cmp.Diff(outcomeOf(w, a), want); diff != "" {
		t.Errorf("Search() (-got +want):\n%s", diff)
	}
}

func TestSearchStops(t *testing.T) {
	gone := errors.New("gone")
	_, err := Search(t.Context(), Input{
		Arch: "amd64", Roots: []elf.Root{module("libc.so.6")},
		Members: []apt.Package{pkg("postgresql-18-x", "x", "libc6")}, Base: []apt.Package{pkg("libc6", "glibc", "")},
		Scan: func(context.Context, []apt.Package) ([]*debinfo.Info, error) { return nil, gone },
	})
	if !errors.Is(err, gone) || !strings.HasPrefix(fmt.Sprint(err), "searching for libraries: ") {
		t.Errorf("got %v, want searching for libraries: gone", err)
	}
}

func TestFindings(t *testing.T) {
	a := Result{Closure: elf.Closure{
		Missing: []elf.Missing{
			{Library: "libgone.so.1", NeededBy: []string{"lib/a.so", "lib/b.so"}, Reason: elf.NotProvided},
			{Library: "libother.so.1", NeededBy: []string{"lib/a.so"}, Reason: elf.OtherArch},
		},
		VersionGaps: []elf.Gap{
			{
				Library: "libc.so.6", Version: "GLIBC_9", NeededBy: []string{"lib/a.so"}, Highest: "GLIBC_2.43",
				Provider: elf.Provider{Package: "libc6", Path: "usr/lib/libc.so.6"},
			},
			{
				Library: "libz.so.1", Version: "Z_1", NeededBy: []string{"lib/a.so"},
				Provider: elf.Provider{Package: "zlib1g", Path: "usr/lib/libz.so.1"},
			},
			{Library: "libm.so.6", Version: "GLIBC_9", NeededBy: []string{"lib/a.so"}},
		},
		WrongArch: []elf.Mismatch{{Path: "lib/c.so", Arch: "arm64"}, {Path: "lib/d.so"}, {Path: "x", Arch: "i386", Library: "libx.so.1"}},
	}}
	got := a.Findings("amd64", nil)
	want := []finding.Finding{
		{Code: "PGX001", Path: "lib/a.so", Text: "needs libgone.so.1, which neither the base nor the image has"},
		{Code: "PGX001", Path: "lib/a.so", Text: "needs libother.so.1, which neither the base nor the image has: it is there for another architecture only"},
		{Code: "PGX001", Path: "lib/b.so", Text: "needs libgone.so.1, which neither the base nor the image has"},
		{Code: "PGX002", Path: "lib/a.so", Text: "needs GLIBC_9 of libc.so.6, and that of libc6 goes up to GLIBC_2.43"},
		{Code: "PGX002", Path: "lib/a.so", Text: "needs GLIBC_9 of libm.so.6, which it does not load"},
		{Code: "PGX002", Path: "lib/a.so", Text: "needs Z_1 of libz.so.1, and that of zlib1g defines no such version"},
		{Code: "PGX003", Path: "lib/c.so", Text: "is an ELF file for arm64 in an image for amd64"},
		{Code: "PGX003", Path: "lib/d.so", Text: "is an ELF file for an unknown machine in an image for amd64"},
	}
	sorted := cmpopts.SortSlices(func(a, b finding.Finding) bool {
		return a.Code+a.Path+a.Text < b.Code+b.Path+b.Text
	})
	if diff := cmp.Diff(got, want, sorted, cmpopts.IgnoreFields(finding.Finding{}, "Hint", "Severity", "Arch")); diff != "" {
		t.Errorf("Findings() (-got +want):\n%s", diff)
	}
	for _, f := range got {
		if f.Arch != "amd64" || f.Severity != finding.Error || f.Hint == "" {
			t.Errorf("not an error about amd64 with a hint: %+v", f)
		}
	}
}

func TestMissingHint(t *testing.T) {
	ix := load(t, "Package: libgone1t64\nVersion: 1\nArchitecture: amd64\n\nPackage: libgone-dev\nVersion: 1\nArchitecture: amd64\n")
	for _, tc := range []struct{ library, want string }{
		{"libgone.so.1", "the name of libgone1t64 matches it: add the package to bundle.packages"},
		{"libnever.so.1", "no package of the archives is named after libnever.so.1; add the package that contains it to bundle.packages"},
	} {
		if got := missingHint(elf.Missing{Library: tc.library}, ix); got != tc.want {
			t.Errorf("hint about %s: got %q, want %q", tc.library, got, tc.want)
		}
	}
}
