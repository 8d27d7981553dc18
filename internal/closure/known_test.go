package closure

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/debinfo"
	"github.com/pgext/pgext/internal/elf"
)

// TestSearchKnown: of a base that is an image no package is looked into, also
// when one is named after a library that is missing.
func TestSearchKnown(t *testing.T) {
	w := &world{contents: map[string]*debinfo.Info{
		"libgone1": library("libgone.so.1"), "libx1": library("libx.so.1", "libc.so.6"), "libc6": library("libc.so.6"),
	}}
	answer, err := Search(t.Context(), Input{
		Arch: "amd64", Roots: []elf.Root{module("libx.so.1", "libc.so.6", "libgone.so.1")},
		Members: []apt.Package{{Name: "postgresql-18-x", Arch: "amd64", Depends: "libx1, libc6, libgone1"}},
		Base:    []apt.Package{{Name: "libc6", Arch: "amd64", Version: "2.42-1"}, {Name: "libgone1", Arch: "amd64"}},
		Offered: []apt.Package{{Name: "libx1", Arch: "amd64"}},
		Known:   []elf.Provider{{Package: "libc6", Path: "usr/lib/libc.so.6", SONAME: "libc.so.6", Object: elf.Object{Arch: "amd64", Type: "dyn"}}},
		Scan:    w.scan,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := outcome{
		Asked: []string{"libx1"}, Bundled: []string{"libx1 libx.so.1"}, Libraries: []string{"libx1"},
		Base: []string{"libc6 libc.so.6"}, Missing: []string{"libgone.so.1"},
	}
	if diff := cmp.Diff(want, outcomeOf(w, answer)); diff != "" {
		t.Errorf("Search() (-want +got):\n%s", diff)
	}
}
