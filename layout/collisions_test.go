package layout

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/lock"
)

func TestCollisions(t *testing.T) {
	for _, tc := range []struct {
		name      string
		a, b      []string
		want      []string
		wantFinds []string
	}{
		{
			"different files",
			[]string{mod + "m.so = 1"},
			[]string{mod + "m.so = 2"},
			[]string{"644 lib/m.so"},
			[]string{"PGX004 error: lib/m.so: a has /usr/lib/postgresql/18/lib/m.so and b has a different /usr/lib/postgresql/18/lib/m.so"},
		},
		{"equal files", []string{mod + "m.so = 1"}, []string{mod + "m.so = 1"}, []string{"644 lib/m.so"}, nil},
		{
			"programs of two directories",
			[]string{"usr/bin/p = " + elfMagic + "1"},
			[]string{"usr/lib/postgresql/18/bin/p = " + elfMagic + "2"},
			[]string{"755 bin/p"},
			[]string{"PGX004 error: bin/p: a has /usr/bin/p and b has a different /usr/lib/postgresql/18/bin/p"},
		},
		{
			"file and directory",
			[]string{mod + "m = 1"},
			[]string{mod + "m/n = 2"},
			[]string{"644 lib/m", "644 lib/m/n"},
			[]string{"PGX004 error: lib/m: a has a file at this path, b has a directory"},
		},
		{
			"link and file",
			[]string{mod + "l -> k", mod + "k = 1"},
			[]string{mod + "l = 1"},
			[]string{"644 lib/k", "lib/l -> k"},
			[]string{"PGX004 error: lib/l: a has /usr/lib/postgresql/18/lib/l and b has a different /usr/lib/postgresql/18/lib/l"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			packages := []Package{pack(t, "b", lock.Extension, tc.b...), pack(t, "a", lock.Extension, tc.a...)}
			r := arrange(t, Input{Packages: packages})
			want := append(tc.want, "644 licenses/a/copyright", "644 licenses/b/copyright")
			if diff := cmp.Diff(want, listing(r.Extension)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantFinds, texts(r.Findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			accounted(t, packages, r)
		})
	}
}

func TestEqualFilesAreReported(t *testing.T) {
	r := arrange(t, Input{Packages: []Package{
		pack(t, "a", lock.Extension, mod+"m.so = 1"), pack(t, "b", lock.Extension, mod+"m.so = 1"),
	}})
	want := []FileReport{
		{mod + "m.so", Placed, "lib/m.so", "", nil},
		{mod + "m.so", Placed, "lib/m.so", "same as in a", nil},
	}
	if diff := cmp.Diff(want, reportsOf(r.Report, "lib/m.so")); diff != "" {
		t.Errorf("Kept() (-want +got):\n%s", diff)
	}
}

func TestCopyrights(t *testing.T) {
	module := mod + "x.so"
	for _, tc := range []struct {
		name      string
		packages  []Package
		want      []string
		wantGiven []string
		wantFinds []string
	}{
		{
			name:      "own",
			packages:  []Package{pack(t, "x", lock.Extension, module), pack(t, "silent", lock.Library, "usr/lib/a")},
			want:      []string{"644 lib/x.so", "644 licenses/x/copyright"},
			wantGiven: []string{"x"},
		},
		{
			name:      "directory of another package",
			packages:  []Package{bare(t, "x", lock.Extension, module, "usr/share/doc/x -> x-common"), pack(t, "x-common", lock.Library)},
			want:      []string{"644 lib/x.so", "644 licenses/x/copyright"},
			wantGiven: []string{"x", "x-common"},
		},
		{
			name:      "missing",
			packages:  []Package{bare(t, "x", lock.Extension, module)},
			want:      []string{"644 lib/x.so"},
			wantGiven: []string{"x"},
			wantFinds: []string{"PGX026 warning: usr/share/doc/x/copyright: copyright file of x not found in the packages"},
		},
		{
			name:      "in a package that is not there",
			packages:  []Package{bare(t, "x", lock.Extension, module, "usr/share/doc/x -> x-common")},
			want:      []string{"644 lib/x.so"},
			wantGiven: []string{"x"},
			wantFinds: []string{"PGX026 warning: usr/share/doc/x/copyright: copyright file of x not found in the packages"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := arrange(t, Input{Packages: tc.packages})
			if diff := cmp.Diff(tc.want, listing(r.Extension, r.Libraries)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantGiven, r.Given); diff != "" {
				t.Errorf("Given (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantFinds, texts(r.Findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			accounted(t, tc.packages, r)
		})
	}
}

func TestAlternatives(t *testing.T) {
	scripts := pack(
		t, "geo-scripts", lock.Extension,
		ext+"geo-3.control = default_version = '1'\nmodule_pathname = '$libdir/geo-3'\n", ext+"geo--1.sql", mod+"geo-3.so",
		"usr/lib/postgresql/18/bin/geo = "+elfMagic,
	)
	scripts.Scripts = map[string]string{"postinst": `#!/bin/sh
DIR=/usr/share/postgresql/18/extension
update-alternatives --install $DIR/geo.control geo.control $DIR/geo-3.control 30 \
   --slave $DIR/raster.control raster.control $DIR/raster-3.control \
   --slave /usr/share/man/man1/geo.1.gz geo.1.gz /usr/share/man/man1/geo-3.1.gz
update-alternatives --install /usr/bin/geo geo /usr/lib/postgresql/18/bin/geo 18
update-alternatives --install $DIR/$(date).control x $DIR/geo-3.control 1
`}
	r := arrange(t, Input{Packages: []Package{scripts}})
	want := []string{
		"755 bin/geo", "644 lib/geo-3.so", "644 licenses/geo-scripts/copyright",
		"644 share/extension/geo--1.sql", "644 share/extension/geo-3.control", "share/extension/geo.control -> geo-3.control",
	}
	if diff := cmp.Diff(want, listing(r.Extension)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	wantFinds := []string{
		"PGX027 warning: geo-scripts: postinst line 7: $(date) has no known value",
		"PGX027 warning: share/extension/raster.control: geo-scripts: target /usr/share/postgresql/18/extension/raster-3.control not found in the packages",
	}
	if diff := cmp.Diff(wantFinds, texts(r.Findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if len(r.Extensions) != 1 || r.Extensions[0].Name != "geo" || len(r.Unscripted) != 0 {
		t.Errorf("Extensions = %v, Unscripted = %v; want geo alone", r.Extensions, r.Unscripted)
	}
	if got := content(t, r.Extension, "share/extension/geo.control"); got != "default_version = '1'\nmodule_pathname = 'geo-3'\n" {
		t.Errorf("geo.control = %q", got)
	}
}
