package closure

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
)

func load(t *testing.T, packages string) *apt.Index {
	t.Helper()
	ix, err := apt.Load(t.Context(), nil, []apt.File{{
		Archive: "debian", Arch: "amd64",
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(packages)), nil },
	}}, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func tree(t *testing.T, entries ...filetree.Entry) filetree.Tree {
	t.Helper()
	for i := range entries {
		if entries[i].Kind == 0 {
			entries[i].Kind = filetree.File
		}
	}
	tree, err := filetree.New(entries)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func file(path, from string) filetree.Entry {
	return filetree.Entry{Path: path, Kind: filetree.File, Mode: 0o644, Origin: filetree.Origin{Package: "p", Path: from}}
}

func TestRootsOf(t *testing.T) {
	objects := map[string]elf.Object{
		"usr/lib/postgresql/18/lib/a.so": {Arch: "amd64", Type: "dyn", SONAME: "other.so"},
		"usr/lib/postgresql/18/bin/tool": {Arch: "amd64", Type: "exec"},
	}
	image := tree(
		t,
		file("bin/tool", "usr/lib/postgresql/18/bin/tool"),
		file("lib/a.so", "usr/lib/postgresql/18/lib/a.so"),
		filetree.Entry{Path: "lib/a-1.so", Kind: filetree.Symlink, Mode: 0o777, Link: "a.so"},
		filetree.Entry{Path: "lib/dangling.so", Kind: filetree.Symlink, Mode: 0o777, Link: "gone.so"},
		file("lib/bitcode/a.so", "usr/lib/postgresql/18/lib/a.so"),
		file("share/extension/a.control", "usr/share/postgresql/18/extension/a.control"),
	)
	roots, own := RootsOf(image, func(pkg, path string) (elf.Object, bool) {
		o, ok := objects[path]
		return o, ok && pkg == "p"
	})
	var gotRoots, gotOwn []string
	for _, r := range roots {
		gotRoots = append(gotRoots, r.Package+" "+r.Path)
	}
	for _, o := range own {
		gotOwn = append(gotOwn, o.Path+" "+o.SONAME)
	}
	if diff := cmp.Diff(gotRoots, []string{"p bin/tool", "p lib/a.so", "p lib/bitcode/a.so"}); diff != "" {
		t.Errorf("roots (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(gotOwn, []string{"lib/a-1.so a-1.so", "lib/a.so a.so"}); diff != "" {
		t.Errorf("own (-got +want):\n%s", diff)
	}
}

func TestExtraRoots(t *testing.T) {
	packages := []map[string]elf.Object{
		{
			"usr/lib/x86_64-linux-gnu/libb.so.1": {Type: "dyn", SONAME: "libb.so.1"},
			"usr/lib/x86_64-linux-gnu/plugin.so": {Type: "dyn"},
			"usr/bin/b":                          {Type: "exec"},
			"opt/libc.so.1":                      {Type: "dyn", SONAME: "libc.so.1"},
		},
		{"usr/lib/liba.so.1": {Type: "dyn", SONAME: "liba.so.1"}},
	}
	got := ExtraRoots("arm64", "postgresql-18-x", []string{"libz.so.1", "liba.so.1"}, packages)
	want := []Root{{Package: "postgresql-18-x", Path: "bundle", Object: elf.Object{
		Arch: "arm64", Type: "dyn", Needed: []string{"liba.so.1", "libb.so.1", "libz.so.1"},
	}}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("ExtraRoots() (-got +want):\n%s", diff)
	}
	if got := ExtraRoots("arm64", "x", nil, []map[string]elf.Object{{}}); got != nil {
		t.Errorf("ExtraRoots() of nothing = %v, want none", got)
	}
}

func TestKeep(t *testing.T) {
	for path, want := range map[string]bool{
		"usr/lib/x86_64-linux-gnu/libproj.so.25": true,
		"usr/lib/x86_64-linux-gnu/libgeos.so":    true,
		"usr/share/doc/libproj25/copyright":      true,
		"usr/share/proj/proj.db":                 false,
		"usr/share/proj/copyright":               false,
		"usr/lib/x86_64-linux-gnu/libproj.a":     false,
		"usr/share/doc/libproj25/changelog.gz":   false,
	} {
		if got := Keep(filetree.Entry{Path: path}); got != want {
			t.Errorf("Keep(%s) = %v, want %v", path, got, want)
		}
	}
}

// What resolution found to satisfy a need satisfies it again.
func TestLocked(t *testing.T) {
	pins := lock.Target{Arch: "arm64", Base: lock.Base{Packages: []lock.BasePackage{
		{Package: "libc6", Libraries: []string{"ld-linux-aarch64.so.1", "libc.so.6"}},
		{Package: "perl-base", Interpreters: []string{"/usr/bin/perl"}},
	}}}
	got := elf.Close(elf.Input{
		Arch: "arm64", Base: Locked(pins),
		Roots: []elf.Root{{Path: "lib/x.so", Object: elf.Object{
			Arch: "arm64", Type: "dyn", Needed: []string{"libc.so.6", "libgone.so.1"},
			Versions: []elf.Need{{Library: "libc.so.6", Versions: []string{"GLIBC_2.38"}}},
		}}},
	})
	if diff := cmp.Diff(sonames(got.FromBase), []string{"libc6 libc.so.6"}); diff != "" {
		t.Errorf("from the base (-got +want):\n%s", diff)
	}
	if len(got.Missing) != 1 || len(got.VersionGaps) != 0 {
		t.Errorf("missing %v, gaps %v; want one library missing and no gap", got.Missing, got.VersionGaps)
	}
}

func TestUsers(t *testing.T) {
	needs := elf.Closure{
		Bundled: []elf.Provider{
			{Package: "libgeos1", Path: "usr/lib/x86_64-linux-gnu/libgeos.so.1.2", SONAME: "libgeos.so.1"},
			{Package: "libproj1", Path: "usr/lib/x86_64-linux-gnu/libproj.so.1.2", SONAME: "libproj.so.1"},
		},
		NeededBy: map[string][]string{
			"libc.so.6":    {"lib/geo.so"},
			"libproj.so.1": {"usr/lib/x86_64-linux-gnu/libgeos.so.1.2", "lib/geo.so"},
			"libgeos.so.1": {"lib/raster.so", "lib/geo.so"},
		},
	}
	want := map[string][]string{ // of bundled libraries alone, by their place in the image
		"libproj.so.1": {"lib/geo.so", "system/libgeos.so.1"},
		"libgeos.so.1": {"lib/geo.so", "lib/raster.so"},
	}
	if diff := cmp.Diff(want, Users(needs)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if needs.NeededBy["libgeos.so.1"][0] != "lib/raster.so" {
		t.Error("the closure's own lists were sorted")
	}
}

func TestInterpreters(t *testing.T) {
	has := Interpreters(lock.Target{Base: lock.Base{Packages: []lock.BasePackage{
		{Package: "libc6", Libraries: []string{"libc.so.6"}},
		{Package: "perl-base", Interpreters: []string{"/usr/bin/env perl", "/usr/bin/perl -w"}},
		{Package: "dash", Interpreters: []string{"/bin/sh"}},
	}}})
	for line, want := range map[string]bool{
		"/usr/bin/perl -w": true, "/usr/bin/env perl": true, "/bin/sh": true,
		"/usr/bin/perl": false, "perl": false, "libc.so.6": false, "": false,
	} {
		if got := has(line); got != want {
			t.Errorf("%q: got %v, want %v", line, got, want)
		}
	}
}
