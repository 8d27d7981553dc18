package layout

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
)

// TestPlaces checks the places of the files of an extension package.
func TestPlaces(t *testing.T) {
	for _, tc := range []struct {
		name  string
		in    Input
		files []string
		want  []string
		// findings are the expected findings.
		findings []string
	}{
		{
			name:  "module, control, scripts",
			files: []string{mod + "a.so", ext + "a.control = default_version = 1", ext + "a--1.sql", ext + "words.data"},
			want:  []string{"644 lib/a.so", "644 share/extension/a--1.sql", "644 share/extension/a.control", "644 share/extension/words.data"},
		},
		{
			name:  "directories keep their names",
			files: []string{mod + "sub/deep/a.so", "usr/share/postgresql/18/contrib/a/b.sql", "usr/share/postgresql/18/a.conf"},
			want:  []string{"644 lib/sub/deep/a.so", "644 share/a.conf", "644 share/contrib/a/b.sql"},
		},
		{
			name:     "what PostgreSQL looks for elsewhere",
			files:    []string{"usr/share/postgresql/18/tsearch_data/b.dict", "usr/share/postgresql/18/tsearch_data/a.dict", mod + "plugins/p.so"},
			want:     []string{"644 lib/plugins/p.so", "644 share/tsearch_data/a.dict", "644 share/tsearch_data/b.dict"},
			findings: []string{"PGX020 warning: lib/plugins: PostgreSQL searches for this kind of file in its own directory only: p.so", "PGX020 warning: share/tsearch_data: PostgreSQL searches for this kind of file in its own directory only: a.dict, b.dict"},
		},
		{
			name:     "bitcode on request",
			in:       Input{Bitcode: true},
			files:    []string{mod + "bitcode/a/a.bc"},
			want:     []string{"644 lib/bitcode/a/a.bc"},
			findings: []string{"PGX020 warning: lib/bitcode/a: PostgreSQL searches for this kind of file in its own directory only: a.bc"},
		},
		{
			name: "nothing for an image",
			files: []string{
				"usr/include/postgresql/18/server/a.h", "usr/share/man/man1/a.1.gz", "usr/share/postgresql/18/man/man1/a.1", "usr/share/locale/de/LC_MESSAGES/a.mo",
				"usr/share/lintian/overrides/a", "usr/lib/debug/.build-id/a", mod + "liba.a", mod + "pgxs/src/a.mk", mod + "pkgconfig/a.pc", mod + "bitcode/a.bc",
				"etc/a.conf", "var/lib/a/state", "usr/lib/systemd/system/a.service", "usr/lib/x86_64-linux-gnu/libunneeded.so.1",
			},
		},
		{
			name:     "unknown",
			files:    []string{"usr/share/a/2", "usr/share/a/1", "usr/share/a/4", "usr/share/a/3", "opt/b", "usr/lib/postgresql/17/lib/a.so"},
			findings: []string{"PGX022 warning: opt: x: no place in an extension image: b", "PGX022 warning: usr/lib/postgresql/17/lib: x: for PostgreSQL 17: a.so", "PGX022 warning: usr/share/a: x: no place in an extension image: 1, 2, 3, …"},
		},
		{
			name: "programs",
			files: []string{
				"usr/bin/elf = " + elfMagic, "usr/bin/sh = #!/bin/sh -e\n", "usr/lib/postgresql/18/bin/py = #! /usr/bin/python3\nimport x",
				"usr/bin/text = hello", "usr/bin/wrapper -> ../share/postgresql-common/pg_wrapper", "usr/sbin/daemon = " + elfMagic,
			},
			want: []string{"755 bin/elf", "755 bin/sh"},
			findings: []string{
				"PGX021 warning: usr/bin/text: x: neither an ELF file nor a script with #!",
				"PGX021 warning: usr/bin/wrapper: x: link to /usr/share/postgresql-common/pg_wrapper, which no package of the image has",
				"PGX021 warning: usr/lib/postgresql/18/bin/py: x: interpreter /usr/bin/python3 missing in the base",
				"PGX022 warning: usr/sbin: x: no place in an extension image: daemon",
			},
		},
		{
			name: "compiled-in paths",
			files: []string{
				mod + "a.so = " + elfMagic + strings.Repeat(".", 300<<10) + "\x00/usr/share/postgresql/18/extension/a.data\x00/usr/lib/postgresql/18/lib\x00",
				mod + "b.so = " + elfMagic + strings.Repeat(".", 256<<10-60) + "\x00/usr/lib/postgresql/18/lib/plugins/%s\x00 and /usr/lib/postgresql/18/lib/plugins/%s\x00",
				mod + "c.data = \x00/usr/share/postgresql/18/extension/a.data\x00",
				mod + "d.so = " + elfMagic + "\x00/usr/share/postgresql/18\x00/usr/share/postgresql/18/man\x00/usr/lib/postgresql/18/lib\x00",
			},
			want: []string{"644 lib/a.so", "644 lib/b.so", "644 lib/c.data", "644 lib/d.so"},
			findings: []string{
				"PGX024 warning: lib/a.so: contains the compiled-in path /usr/share/postgresql/18/extension/a.data",
				"PGX024 warning: lib/b.so: contains the compiled-in path /usr/lib/postgresql/18/lib/plugins/%s",
			},
		},
		{
			name:     "shadowed by the base",
			in:       Input{BaseHas: func(p string) bool { return p == mod+"a.so" }},
			files:    []string{mod + "a.so", mod + "b.so"},
			want:     []string{"644 lib/a.so", "644 lib/b.so"},
			findings: []string{"PGX028 warning: lib/a.so: PostgreSQL uses /usr/lib/postgresql/18/lib/a.so of the base instead"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// Add a module, so that the image has the copyright file.
			tc.in.Packages = []Package{pack(t, "x", lock.Extension, append(tc.files, mod+"x.so")...)}
			r := arrange(t, tc.in)
			want := append(tc.want, "644 lib/x.so", "644 licenses/x/copyright")
			if diff := cmp.Diff(want, listing(r.Extension), cmpopts.SortSlices(func(x, y string) bool { return x < y })); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			for _, f := range r.Findings {
				if f.Hint == "" && (f.Code == "PGX020" || f.Code == "PGX021") {
					t.Errorf("no hint: %s", f)
				}
			}
			if diff := cmp.Diff(tc.findings, texts(r.Findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			accounted(t, tc.in.Packages, r)
		})
	}
}

// accounted checks that the report lists every file of every package.
func accounted(t *testing.T, packages []Package, r Result) {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range r.Report.Packages {
		for _, f := range p.Files {
			seen[p.Package+" "+f.Path] = true
		}
		for _, d := range p.Dropped {
			for _, path := range d.Paths {
				if seen[p.Package+" "+path] {
					t.Errorf("the report has %s of %s both placed and dropped", path, p.Package)
				}
				seen[p.Package+" "+path] = true
			}
		}
	}
	for _, p := range packages {
		for e := range p.Tree.All() {
			if e.Kind != filetree.Dir && !seen[p.Name+" "+e.Path] {
				t.Errorf("the report lacks %s of %s", e.Path, p.Name)
			}
		}
	}
}

func TestLinks(t *testing.T) {
	for _, tc := range []struct {
		name            string
		files, library  []string
		want, wantFinds []string
	}{
		{"relative", []string{mod + "a.so -> x.so"}, nil, []string{"lib/a.so -> x.so"}, nil},
		{"into another directory", []string{mod + "plugins/x.so -> ../x.so"}, nil, []string{"lib/plugins/x.so -> ../x.so"}, []string{"PGX020 warning: lib/plugins: PostgreSQL searches for this kind of file in its own directory only: x.so"}},
		{"absolute", []string{ext + "x.so -> /" + mod + "x.so"}, nil, []string{"share/extension/x.so -> ../../lib/x.so"}, nil},
		{"chain", []string{mod + "a.so -> b.so", mod + "b.so -> x.so"}, nil, []string{"lib/a.so -> x.so", "lib/b.so -> x.so"}, nil},
		{
			"to a file without a place",
			[]string{ext + "a.data -> ../../../x/a.data", "usr/share/x/a.data = content"},
			nil,
			[]string{"644 share/extension/a.data"},
			nil,
		},
		{"to another package", []string{ext + "a.data -> /usr/share/lib/a.data"}, []string{"usr/share/lib/a.data"}, []string{"644 share/extension/a.data", "644 licenses/lib/copyright"}, nil},
		{
			"to a directory that moved",
			[]string{"usr/share/postgresql/18/a/1", "usr/share/postgresql/18/b -> a"},
			nil,
			[]string{"644 share/a/1", "share/b -> a"},
			nil,
		},
		{
			"to a directory without a place",
			[]string{"usr/share/postgresql/18/b -> ../../x", "usr/share/x/y/1"},
			nil,
			[]string{"644 share/b/y/1"},
			nil,
		},
		{"to nothing", []string{mod + "a.so -> nowhere"}, nil, nil, []string{"PGX005 error: lib/a.so: x: link to nowhere, which no package of the image has"}},
		{"out of the root", []string{mod + "a.so -> ../../../../../../../etc/passwd"}, nil, nil, []string{"PGX005 error: lib/a.so: x: link to ../../../../../../../etc/passwd, which no package of the image has"}},
		{"loop", []string{mod + "a.so -> b.so", mod + "b.so -> a.so"}, nil, nil, []string{
			"PGX005 error: lib/a.so: x: link to b.so, which no package of the image has",
			"PGX005 error: lib/b.so: x: link to a.so, which no package of the image has",
		}},
		{"program by two names", []string{"usr/lib/postgresql/18/bin/p = " + elfMagic, "usr/bin/p -> ../lib/postgresql/18/bin/p", "usr/bin/q -> p"}, nil, []string{"755 bin/p", "bin/q -> p"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			packages := []Package{pack(t, "x", lock.Extension, append(tc.files, mod+"x.so")...)}
			if tc.library != nil {
				packages = append(packages, pack(t, "lib", lock.Library, tc.library...))
			}
			r := arrange(t, Input{Packages: packages})
			want := append(tc.want, "644 lib/x.so", "644 licenses/x/copyright")
			if diff := cmp.Diff(want, listing(r.Extension, r.Libraries), cmpopts.SortSlices(func(x, y string) bool { return x < y })); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantFinds, texts(r.Findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// absent is the content of a file for which Wants returns false.
type absent struct{}

func (absent) Open() (io.ReadCloser, error) { return nil, errors.New("not kept") }
func (absent) Absent()                      {}

// TestLinksToAbsent checks that a link to a file without a place is dropped without
// an error.
func TestLinksToAbsent(t *testing.T) {
	without := func(p Package) Package {
		var entries []filetree.Entry
		for e := range p.Tree.All() {
			if strings.HasPrefix(e.Path, "etc/") && e.Kind == filetree.File {
				e.Content = absent{}
			}
			entries = append(entries, e)
		}
		tree, err := filetree.New(entries)
		if err != nil {
			t.Fatal(err)
		}
		p.Tree = tree
		return p
	}
	packages := []Package{
		without(pack(t, "x", lock.Extension, mod+"x.so", ext+"x.conf -> /etc/x.conf", "etc/x.conf", "usr/bin/x -> /etc/x.conf")),
		without(pack(t, "data", lock.Data, "usr/lib/data/a", "usr/lib/data/site -> /etc/site", "etc/site")),
	}
	r := arrange(t, Input{
		Packages: packages,
		Data:     []DataMapping{{Package: "data", From: "usr/lib/data", To: "share/data"}},
	})
	want := []string{"644 lib/x.so", "644 licenses/x/copyright", "644 share/data/a", "644 licenses/data/copyright"}
	if diff := cmp.Diff(want, listing(r.Extension, r.Libraries), cmpopts.SortSlices(func(x, y string) bool { return x < y })); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"PGX022 warning: usr/bin: x: link to /etc/x.conf, which has no place in an extension image: x",
		"PGX022 warning: " + strings.TrimSuffix(ext, "/") + ": x: link to /etc/x.conf, which has no place in an extension image: x.conf",
	}, texts(r.Findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	accounted(t, packages, r)
}
