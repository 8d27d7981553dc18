package closure

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
)

// pkg returns a package for amd64 of the section libs.
func pkg(name, source, depends string) apt.Package {
	return apt.Package{Name: name, Version: "1-1", Arch: "amd64", Source: source, Section: "libs", Depends: depends}
}

func names(packages []apt.Package) []string {
	var out []string
	for _, p := range packages {
		out = append(out, p.Name)
	}
	return out
}

func TestMembers(t *testing.T) {
	const postgis, scripts, routing = "postgresql-18-postgis-3", "postgresql-18-postgis-3-scripts", "postgresql-18-pgrouting"
	type lists struct{ Extension, Foreign, Other []string }
	for _, tc := range []struct {
		name     string
		named    []string
		resolved []apt.Package
		want     lists
	}{
		{
			"a dependency of the same source joins, a library does not",
			[]string{postgis},
			[]apt.Package{pkg("libproj25", "proj", ""), pkg(postgis, "postgis", "libproj25, "+scripts), pkg(scripts, "postgis", "")},
			lists{Extension: []string{postgis, scripts}, Other: []string{"libproj25"}},
		},
		{
			"one of another source is another image's, with what that one depends on",
			[]string{routing},
			[]apt.Package{pkg(routing, "pgrouting", postgis), pkg(postgis, "postgis", scripts), pkg(scripts, "postgis", "")},
			lists{Extension: []string{routing}, Foreign: []string{postgis}},
		},
		{
			"unless the recipe names it as well",
			[]string{routing, postgis},
			[]apt.Package{pkg(routing, "pgrouting", postgis), pkg(postgis, "postgis", scripts), pkg(scripts, "postgis", "")},
			lists{Extension: []string{routing, postgis, scripts}},
		},
		{
			"a provider of a virtual name joins",
			[]string{postgis},
			[]apt.Package{
				pkg(postgis, "postgis", "postgis-sql"),
				{Name: scripts, Version: "1", Arch: "all", Source: "postgis", Provides: "postgis-sql (= 3)"},
			},
			lists{Extension: []string{postgis, scripts}},
		},
		{
			"a cycle ends",
			[]string{"postgresql-18-a"},
			[]apt.Package{pkg("postgresql-18-a", "a", "postgresql-18-b"), pkg("postgresql-18-b", "a", "postgresql-18-a")},
			lists{Extension: []string{"postgresql-18-a", "postgresql-18-b"}},
		},
		{
			"another major is only a package",
			[]string{"postgresql-18-a"},
			[]apt.Package{pkg("postgresql-17-a", "a", ""), pkg("postgresql-18-a", "a", "postgresql-17-a")},
			lists{Extension: []string{"postgresql-18-a"}, Other: []string{"postgresql-17-a"}},
		},
		{
			"what the base has already is not among them",
			[]string{"plperl"},
			[]apt.Package{pkg("libx1", "x", "")},
			lists{Other: []string{"libx1"}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := Members(18, tc.named, tc.resolved)
			got := lists{names(m.Extension), names(m.Foreign), names(m.Other)}
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("Members() (-got +want):\n%s", diff)
			}
		})
	}
}

func TestDepends(t *testing.T) {
	u := newPackageSet([]apt.Package{
		pkg("libssl3t64", "openssl", ""),
		{Name: "mawk", Provides: "awk"},
		{Name: "gawk", Provides: "awk"},
		pkg("libc6", "glibc", ""),
		pkg("debconf", "debconf", ""),
	})
	for _, tc := range []struct {
		name string
		pkg  apt.Package
		want []string
	}{
		{"nothing", apt.Package{}, nil},
		{"Pre-Depends first, each once", apt.Package{PreDepends: "libc6 (>= 2.1)", Depends: "libssl3t64 (>= 3), libc6"}, []string{"libc6", "libssl3t64"}},
		{"every alternative that is there", apt.Package{Depends: "cdebconf | debconf (>= 1) | libc6"}, []string{"debconf", "libc6"}},
		{"every provider that is there", apt.Package{Depends: "awk"}, []string{"mawk", "gawk"}},
		{"architecture qualifiers", apt.Package{Depends: "libc6:any"}, []string{"libc6"}},
		{"absent ones are left out", apt.Package{Depends: "libdl2, libc6"}, []string{"libc6"}},
		{"what does not parse is none", apt.Package{Depends: "a b c"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(names(u.depends(tc.pkg)), tc.want); diff != "" {
				t.Errorf("depends() (-got +want):\n%s", diff)
			}
		})
	}
}
