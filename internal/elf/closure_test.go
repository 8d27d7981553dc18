package elf

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const multiarch = "usr/lib/x86_64-linux-gnu/"

// lib is a provider of the amd64 library at a path, "package:path".
func lib(where string, needed ...string) Provider {
	pkg, file, _ := strings.Cut(where, ":")
	return NewProvider(pkg, file, Object{Arch: "amd64", SONAME: path.Base(file), Needed: needed})
}

func (p Provider) arch(a string) Provider { p.Object.Arch = a; return p }

func (p Provider) defines(v ...string) Provider { p.Object.Defines = v; return p }

func (p Provider) wants(library string, v ...string) Provider {
	p.Object.Versions = append(p.Object.Versions, Need{Library: library, Versions: v})
	return p
}

func (p Provider) wantsWeakly(library string, v ...string) Provider {
	p.Object.Versions = append(p.Object.Versions, Need{Library: library, Weak: v})
	return p
}

// root makes the module at a path into the only root, and one of the image.
func root(modules ...Provider) Input {
	in := Input{Arch: "amd64", Own: modules}
	for _, m := range modules {
		in.Roots = append(in.Roots, Root{m.Package, m.Path, m.Object})
	}
	return in
}

// tell puts a Closure into lines.
func tell(c Closure) string {
	var b strings.Builder
	for _, list := range []struct {
		verb      string
		providers []Provider
	}{{"bundle", c.Bundled}, {"base", c.FromBase}, {"sibling", c.Siblings}} {
		for _, p := range list.providers {
			fmt.Fprintf(&b, "%s %s = %s:%s for %s\n", list.verb, p.SONAME, p.Package, p.Path, strings.Join(c.NeededBy[p.SONAME], " "))
		}
	}
	for _, m := range c.Missing {
		fmt.Fprintf(&b, "missing %s for %s: %s\n", m.Library, strings.Join(m.NeededBy, " "), m.Reason)
	}
	for _, g := range c.VersionGaps {
		fmt.Fprintf(&b, "gap %s %s for %s, %q has %q\n", g.Library, g.Version, strings.Join(g.NeededBy, " "), g.Provider.Package, g.Highest)
	}
	for _, m := range c.WrongArch {
		fmt.Fprintf(&b, "wrong %s:%s is %q, as %q\n", m.Package, m.Path, m.Arch, m.Library)
	}
	return b.String()
}

func TestClose(t *testing.T) {
	for _, tc := range []struct {
		name          string
		in            Input
		base, offered []Provider
		want          string
	}{
		{
			name: "base goes before offered",
			in:   root(lib("m:m.so", "libc.so.6")),
			base: []Provider{lib("libc6:" + multiarch + "libc.so.6")}, offered: []Provider{lib("musl:" + multiarch + "libc.so.6")},
			want: "base libc.so.6 = libc6:usr/lib/x86_64-linux-gnu/libc.so.6 for m.so\n",
		},
		{
			name: "a sibling goes before base",
			in:   root(lib("m:lib/m.so", "core.so"), lib("m:lib/core.so")),
			base: []Provider{lib("x:usr/lib/core.so")},
			want: "sibling core.so = m:lib/core.so for lib/m.so\n",
		},
		{
			name: "a sibling counts under its file name",
			in:   root(lib("m:lib/m.so", "libcore.so.1"), Provider{Package: "m", Path: "lib/core.so", Object: Object{Arch: "amd64", SONAME: "libcore.so.1"}}),
			want: "missing libcore.so.1 for lib/m.so: nothing provides it\n",
		},
		{
			name: "offered that needs base and offered",
			in:   root(lib("m:m.so", "liba.so.1")),
			base: []Provider{lib("libc6:lib/libc.so.6")}, offered: []Provider{lib("a:usr/lib/liba.so.1", "libb.so.1", "libc.so.6"), lib("b:usr/lib/libb.so.1"), lib("z:usr/lib/libz.so.1")},
			want: "bundle liba.so.1 = a:usr/lib/liba.so.1 for m.so\n" +
				"bundle libb.so.1 = b:usr/lib/libb.so.1 for usr/lib/liba.so.1\n" +
				"base libc.so.6 = libc6:lib/libc.so.6 for usr/lib/liba.so.1\n",
		},
		{
			name:    "cycle",
			in:      root(lib("m:m.so", "liba.so")),
			offered: []Provider{lib("a:usr/lib/liba.so", "libb.so"), lib("b:usr/lib/libb.so", "liba.so")},
			want: "bundle liba.so = a:usr/lib/liba.so for m.so usr/lib/libb.so\n" +
				"bundle libb.so = b:usr/lib/libb.so for usr/lib/liba.so\n",
		},
		{
			name:    "diamond",
			in:      root(lib("m:m.so", "liba.so", "libb.so")),
			offered: []Provider{lib("a:usr/lib/liba.so", "libd.so"), lib("b:usr/lib/libb.so", "libd.so"), lib("d:usr/lib/libd.so", "libgone.so")},
			want: "bundle liba.so = a:usr/lib/liba.so for m.so\n" +
				"bundle libb.so = b:usr/lib/libb.so for m.so\n" +
				"bundle libd.so = d:usr/lib/libd.so for usr/lib/liba.so usr/lib/libb.so\n" +
				"missing libgone.so for usr/lib/libd.so: nothing provides it\n",
		},
		{
			name: "needs of base are taken as met",
			in:   root(lib("m:m.so", "libc.so.6")),
			base: []Provider{lib("libc6:lib/libc.so.6", "libnowhere.so")},
			want: "base libc.so.6 = libc6:lib/libc.so.6 for m.so\n",
		},
		{
			name: "every needer of a missing library",
			in:   root(lib("m:b.so", "libx.so"), lib("m:a.so", "libx.so", "libx.so")),
			want: "missing libx.so for a.so b.so: nothing provides it\n",
		},
		{
			name:    "by SONAME, not by file name",
			in:      root(lib("m:m.so", "liba.so.1", "libb.so.2")),
			offered: []Provider{NewProvider("a", "usr/lib/liba.so.1", Object{Arch: "amd64", SONAME: "liba.so.9"}), NewProvider("b", "usr/lib/libb.so.2.0.1", Object{Arch: "amd64", SONAME: "libb.so.2"})},
			want: "bundle libb.so.2 = b:usr/lib/libb.so.2.0.1 for m.so\n" +
				"missing liba.so.1 for m.so: nothing provides it\n",
		},
		{
			name:    "by file name without SONAME",
			in:      root(lib("m:m.so", "libodd.so")),
			offered: []Provider{{Package: "odd", Path: "usr/lib/libodd.so", Object: Object{Arch: "amd64"}}},
			want:    "bundle libodd.so = odd:usr/lib/libodd.so for m.so\n",
		},
		{
			name:    "paths",
			in:      root(lib("m:m.so", "/usr/lib/liba.so", "$ORIGIN/liba.so")),
			offered: []Provider{lib("a:usr/lib/liba.so")},
			want: "missing $ORIGIN/liba.so for m.so: it is needed by path, not by name\n" +
				"missing /usr/lib/liba.so for m.so: it is needed by path, not by name\n",
		},
		{
			name:    "another architecture is passed over",
			in:      root(lib("m:m.so", "liba.so", "libb.so")),
			offered: []Provider{lib("a-arm:usr/lib/liba.so").arch("arm64"), lib("a:usr/lib/liba.so"), lib("b:usr/lib/libb.so").arch(""), lib("c:usr/lib/libc.so").arch("arm64")},
			want: "bundle liba.so = a:usr/lib/liba.so for m.so\n" +
				"missing libb.so for m.so: it is there for another architecture only\n" +
				"wrong a-arm:usr/lib/liba.so is \"arm64\", as \"liba.so\"\n" +
				"wrong b:usr/lib/libb.so is \"\", as \"libb.so\"\n",
		},
		{
			name: "a root for another architecture",
			in:   root(lib("m:m.so", "libx.so").arch("arm64")),
			want: "wrong m:m.so is \"arm64\", as \"\"\n",
		},
		{
			name: "multiarch folder, library folder, others",
			in:   root(lib("m:m.so", "liba.so", "libb.so", "libc.so")),
			offered: []Provider{
				lib("1:" + multiarch + "blas/liba.so"), lib("2:usr/lib/liba.so"), lib("3:lib/x86_64-linux-gnu/liba.so"),
				lib("1:opt/libb.so"), lib("2:usr/lib/libb.so"), lib("0:usr/lib/aarch64-linux-gnu/libb.so"),
				lib("2:opt/libc.so"), lib("1:opt/z/libc.so"), lib("1:opt/a/libc.so"),
			},
			want: "bundle liba.so = 3:lib/x86_64-linux-gnu/liba.so for m.so\n" +
				"bundle libb.so = 2:usr/lib/libb.so for m.so\n" +
				"bundle libc.so = 1:opt/a/libc.so for m.so\n",
		},
		{
			name: "the loader itself",
			in:   root(lib("m:m.so", "ld-linux-x86-64.so.2").wants("ld-linux-x86-64.so.2", "GLIBC_2.3")),
			base: []Provider{lib("libc6:lib64/ld-linux-x86-64.so.2").defines("GLIBC_2.3")},
			want: "base ld-linux-x86-64.so.2 = libc6:lib64/ld-linux-x86-64.so.2 for m.so\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.in.Base, tc.in.Offered = tc.base, tc.offered
			if diff := cmp.Diff(tc.want, tell(Close(tc.in))); diff != "" {
				t.Errorf("Close() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCloseVersions(t *testing.T) {
	const fromBase = "base libc.so.6 = libc6:lib/libc.so.6 for m.so\n"
	for _, tc := range []struct {
		name   string
		module Provider
		libc   Provider
		want   string
	}{
		{"satisfied", lib("m:m.so", "libc.so.6").wants("libc.so.6", "GLIBC_2.2.5", "GLIBC_2.38"), lib("").defines("libc.so.6", "GLIBC_2.2.5", "GLIBC_2.38"), fromBase},
		{
			"too old", lib("m:m.so", "libc.so.6").wants("libc.so.6", "GLIBC_2.38", "GLIBC_2.2.5"), lib("").defines("libc.so.6", "GLIBC_2.2.5", "GLIBC_2.36", "GLIBC_2.4", "GLIBC_PRIVATE"),
			fromBase + "gap libc.so.6 GLIBC_2.38 for m.so, \"libc6\" has \"GLIBC_2.36\"\n",
		},
		{
			"version without a number", lib("m:m.so", "libc.so.6").wants("libc.so.6", "GLIBC_ABI_DT_RELR"), lib("").defines("GLIBC_2.4", "GLIBC_2.35"),
			fromBase + "gap libc.so.6 GLIBC_ABI_DT_RELR for m.so, \"libc6\" has \"GLIBC_2.35\"\n",
		},
		{
			"another family", lib("m:m.so", "libc.so.6").wants("libc.so.6", "MUSL_1"), lib("").defines("GLIBC_2.4"),
			fromBase + "gap libc.so.6 MUSL_1 for m.so, \"libc6\" has \"\"\n",
		},
		{"weak", lib("m:m.so", "libc.so.6").wantsWeakly("libc.so.6", "GLIBC_9"), lib("").defines("GLIBC_2.4"), fromBase},
		{"a provider without versions", lib("m:m.so", "libc.so.6").wants("libc.so.6", "GLIBC_9"), lib(""), fromBase},
		{
			"a library that nothing loads", lib("m:m.so", "libc.so.6").wants("libgone.so", "V_2", "V_10"), lib(""),
			fromBase + "gap libgone.so V_2 for m.so, \"\" has \"\"\ngap libgone.so V_10 for m.so, \"\" has \"\"\n",
		},
		{
			"a missing library is told once", lib("m:m.so", "libc.so.6", "libx.so").wants("libx.so", "X_1"), lib(""),
			fromBase + "missing libx.so for m.so: nothing provides it\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := root(tc.module)
			in.Base = []Provider{lib("libc6:lib/libc.so.6").defines(tc.libc.Object.Defines...)}
			if diff := cmp.Diff(tc.want, tell(Close(in))); diff != "" {
				t.Errorf("Close() (-want +got):\n%s", diff)
			}
		})
	}
}

// A bundled library's own version needs count, and all who share a gap are
// named in it.
func TestCloseGapOfBundled(t *testing.T) {
	in := root(lib("m:m.so", "liba.so").wants("liba.so", "A_1"))
	in.Base = []Provider{lib("libc6:lib/libc.so.6").defines("GLIBC_2.36")}
	in.Offered = []Provider{
		lib("a:usr/lib/liba.so", "libc.so.6", "libb.so").wants("libc.so.6", "GLIBC_2.38").defines("A_1"),
		lib("b:usr/lib/libb.so", "libc.so.6").wants("libc.so.6", "GLIBC_2.38"),
	}
	got := Close(in).VersionGaps
	if len(got) != 1 || got[0].Highest != "GLIBC_2.36" {
		t.Fatalf("Close().VersionGaps = %v, want one", got)
	}
	if diff := cmp.Diff([]string{"usr/lib/liba.so", "usr/lib/libb.so"}, got[0].NeededBy); diff != "" {
		t.Errorf("NeededBy (-want +got):\n%s", diff)
	}
}

// The order in which lists come changes nothing, and inputs stay as they are.
func TestCloseTwice(t *testing.T) {
	in := root(lib("m:a.so", "liba.so", "libx.so"), lib("m:b.so", "a.so", "libb.so"))
	in.Base = []Provider{lib("c:lib/libc.so", "libq.so"), lib("d:lib/libc.so"), lib("e:lib/liba.so").arch("arm64")}
	in.Offered = []Provider{lib("p:usr/lib/liba.so", "libc.so", "libb.so"), lib("q:opt/liba.so", "libq.so"), lib("r:usr/lib/libb.so", "liba.so")}
	want := Close(in)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		shuffled := Input{Arch: in.Arch, Roots: slices.Clone(in.Roots), Own: slices.Clone(in.Own), Base: slices.Clone(in.Base), Offered: slices.Clone(in.Offered)}
		for _, list := range [][]Provider{shuffled.Own, shuffled.Base, shuffled.Offered} {
			rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
		rng.Shuffle(2, func(i, j int) { shuffled.Roots[i], shuffled.Roots[j] = shuffled.Roots[j], shuffled.Roots[i] })
		if diff := cmp.Diff(want, Close(shuffled)); diff != "" {
			t.Fatalf("Close() of the same in another order (-want +got):\n%s", diff)
		}
	}
}
