package probe_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/elf/elftest"
	"github.com/pgext/pgext/internal/probe"
)

func TestName(t *testing.T) {
	for _, tc := range []struct{ pkg, want string }{
		{"postgresql-18-pgvector", "pgvector"},
		{"postgresql-18-postgis-3", "postgis-3"},
		{"postgresql-plperl-18", "plperl"},
		{"postgresql-18-a.b+c", "a-b-c"},
		{"timescaledb-2-postgresql-18", "timescaledb-2-postgresql"},
		{"postgresql-18-x+", "x"},
		{"postgresql-18-aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffff-g", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffff"},
	} {
		if got := probe.Name(tc.pkg, 18); got != tc.want {
			t.Errorf("Name(%q) = %q, want %q", tc.pkg, got, tc.want)
		}
	}
}

func TestNames(t *testing.T) {
	got := probe.Names([]string{"postgresql-18-a.b", "postgresql-18-a-b", "postgresql-18-a+b", "postgresql-18-c"}, 18)
	want := map[string]string{"postgresql-18-a.b": "a-b", "postgresql-18-a-b": "a-b-2", "postgresql-18-a+b": "a-b-3", "postgresql-18-c": "c"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("Names() (-got +want):\n%s", diff)
	}
}

func TestNoExtension(t *testing.T) {
	for _, tc := range []struct {
		pkg  apt.Package
		want string
	}{
		{apt.Package{Name: "postgresql-18-jit", Source: "postgresql-18"}, "a part of the server: it comes from the source postgresql-18"},
		{apt.Package{Name: "postgresql-18-x-dbgsym", Source: "x"}, "debugging symbols"},
		{apt.Package{Name: "postgresql-18-x-doc", Section: "doc"}, "documentation"},
		{apt.Package{Name: "postgresql-18-old", Section: "contrib/oldlibs"}, "a transitional package"},
		{apt.Package{Name: "postgresql-18-x", Source: "x", Section: "database"}, ""},
	} {
		if got, ok := probe.NoExtension(tc.pkg, 18); got != tc.want || ok != (tc.want != "") {
			t.Errorf("NoExtension(%s) = %q, %v, want %q", tc.pkg.Name, got, ok, tc.want)
		}
	}
}

func TestHalves(t *testing.T) {
	member := func(name, source string, extension ...string) probe.Member {
		return probe.Member{Package: apt.Package{Name: name, Source: source}, Extension: append(extension, name)}
	}
	for _, tc := range []struct {
		name    string
		members []probe.Member
		want    map[string]string
	}{
		{"a package alone", []probe.Member{member("a", "a")}, map[string]string{}},
		{"scripts", []probe.Member{member("gis", "gis", "gis-scripts"), member("gis-scripts", "gis")}, map[string]string{"gis-scripts": "gis"}},
		{"one of another source", []probe.Member{member("a", "a", "b"), member("b", "b")}, map[string]string{}},
		{"two that depend on each other", []probe.Member{member("gis", "gis", "gis-scripts"), member("gis-scripts", "gis", "gis")}, map[string]string{"gis-scripts": "gis"}},
		{"a half of a half", []probe.Member{member("a", "s", "b"), member("b", "s", "c"), member("c", "s")}, map[string]string{"b": "a", "c": "a"}},
		{"a half of two joins the shorter name", []probe.Member{member("long", "s", "x"), member("s", "s", "x"), member("x", "s")}, map[string]string{"x": "s"}},
		{"three in a circle", []probe.Member{member("a", "s", "b", "c"), member("b", "s", "a", "c"), member("c", "s", "a", "b")}, map[string]string{"b": "a", "c": "a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(probe.Halves(tc.members), tc.want); diff != "" {
				t.Errorf("Halves() (-got +want):\n%s", diff)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	program := elftest.Spec{Type: "exec"}
	for _, tc := range []struct {
		name  string
		files files
		kind  probe.Kind
		want  string
	}{
		{"an extension", sql("x", ""), probe.Image, "extension x"},
		{"a module", files{"lib/x.so": module(elftest.Spec{})}, probe.Image, "module x"},
		{"a program", files{"usr/bin/check_x": module(program)}, probe.None, "neither control file nor module, only programs: check_x"},
		{"a control file alone", files{"extension/x.control": "default_version = '1'\n"}, probe.None, "a control file without install script, no module: x"},
		{"documentation", files{"doc/README": "see another package"}, probe.None, "no files but documentation: a metapackage or a transitional one"},
		{"something else", files{"usr/include/x.h": "int x;"}, probe.None, "neither control file nor module"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, "x", pkg(t, "postgresql-18-x", tc.files))
			kind, reason := probe.Judge(in.Members, in.Arranged)
			if kind != tc.kind || reason != tc.want {
				t.Errorf("Judge() = %s, %q, want %s, %q", kind, reason, tc.kind, tc.want)
			}
		})
	}
}
