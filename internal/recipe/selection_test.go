package recipe

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parse returns the recipe of a test.
func parse(t *testing.T, yaml string) *Recipe {
	t.Helper()
	r, err := Parse("r.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSelect(t *testing.T) {
	const matrix = smallest + `targets:
- {distro: trixie, postgres: [18, 17]}
- {distro: forky, archs: [arm64, amd64, riscv64]}
- {distro: sid, archs: [arm64]}
- {distro: sid, archs: [amd64]}
`
	for _, tt := range []struct {
		name, yaml string
		sel        Selection
		want       string
	}{
		{"default", smallest, Selection{}, "trixie/18 amd64 arm64"},
		{"default elsewhere", smallest, Selection{Distros: []string{"sid", "forky", "sid"}}, "forky/18 amd64 arm64, sid/18 amd64 arm64"},
		{"all named", smallest, Selection{[]string{"forky"}, []int{17, 16}, []string{"s390x", "amd64"}}, "forky/16 amd64 s390x, forky/17 amd64 s390x"},
		{"every target", matrix, Selection{}, "forky/18 amd64 arm64 riscv64, sid/18 amd64 arm64, trixie/17 amd64 arm64, trixie/18 amd64 arm64"},
		{"one distribution", matrix, Selection{Distros: []string{"forky"}}, "forky/18 amd64 arm64 riscv64"},
		{"one major", matrix, Selection{Postgres: []int{17}}, "trixie/17 amd64 arm64"},
		{"one architecture", matrix, Selection{Archs: []string{"riscv64"}}, "forky/18 riscv64"},
		{"several", matrix, Selection{Distros: []string{"trixie", "sid"}, Archs: []string{"amd64"}}, "sid/18 amd64, trixie/17 amd64, trixie/18 amd64"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			targets, err := parse(t, tt.yaml).Select(tt.sel)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, target := range targets {
				got = append(got, target.String()+" "+strings.Join(target.Archs, " "))
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("Select() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSelectErrors(t *testing.T) {
	const matrix = smallest + "targets:\n- {distro: trixie, postgres: [17]}\n- {distro: forky, archs: [amd64]}\n"
	const list = "; targets has forky/18 (amd64), trixie/17 (amd64 arm64)"
	for _, tt := range []struct {
		name, yaml string
		sel        Selection
		want       string
	}{
		{"unknown distribution", smallest, Selection{Distros: []string{"forkey"}}, `unknown distribution "forkey"; known are bookworm, trixie, forky, sid, experimental, and any other needs archives that each name a suite (did you mean "forky"?)`},
		{"unknown architecture", smallest, Selection{Archs: []string{"aarch64"}}, `unknown architecture "aarch64"; Debian's names are amd64, arm64, armel, armhf, i386, loong64, mips64el, ppc64el, riscv64, s390x (did you mean "arm64"?)`},
		{"bad major", smallest, Selection{Postgres: []int{180}}, `180 is not a PostgreSQL major from 10 to 99`},
		{"distribution", matrix, Selection{Distros: []string{"sid"}}, `nothing selected is for sid` + list},
		{"major", matrix, Selection{Postgres: []int{17, 16}}, `nothing selected is for PostgreSQL 16` + list},
		{"architecture", matrix, Selection{Archs: []string{"riscv64"}}, `nothing selected is for riscv64` + list},
		{"combination", matrix, Selection{Distros: []string{"trixie"}, Postgres: []int{18}}, `nothing selected is for trixie` + list},
		{"one of two has none", matrix, Selection{Distros: []string{"forky", "trixie"}, Postgres: []int{18}}, `nothing selected is for trixie` + list},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(t, tt.yaml).Select(tt.sel)
			var selection *SelectionError
			if !errors.As(err, &selection) || selection.ExitCode() != 10 {
				t.Fatalf("Select() = %v, %v; want a *SelectionError with exit code 10", got, err)
			}
			if diff := cmp.Diff("selecting targets of r.yaml: "+tt.want, err.Error()); diff != "" {
				t.Errorf("Select() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTarget(t *testing.T) {
	const sum = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	r := parse(t, `
name: a
source:
  deb:
    packages: ["postgresql-${pg}-a", "a-${distro}-${arch}"]
    files:
    - {path: "a_${arch}.deb", sha256: `+sum+`}
    - {path: b.deb, sha256: `+sum+`, distro: sid}
    - {path: c.deb, sha256: `+sum+`, postgres: 17}
    - {path: d.deb, sha256: `+sum+`, arch: arm64}
archives: [{name: x, url: "https://x.example/${arch}", suite: "${distro}", signed_by: "${pg}.asc"}]
bundle: {packages: ["b-${pg}"], data: [{package: "c-${pg}", from: "usr/${pg}", to: share/x}]}
targets:
- {distro: forky, base: "image:h.example/pg:${pg}"}
- {distro: sid, source: {tree: [{path: "out/${pg}"}, {path: "out/${arch}", arch: arm64}]}}
- {distro: trixie, source: {pgxs: {path: "src-${pg}", configure: ["./configure", "${arch}"], make_args: ["$${pg}"]}}}
`)
	targets, err := r.Select(Selection{})
	if err != nil {
		t.Fatal(err)
	}
	forky, sid, trixie := targets[0], targets[1], targets[2]
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"packages", forky.Packages("arm64"), []string{"postgresql-18-a", "a-forky-arm64"}},
		{"files, amd64", forky.DebFiles("amd64"), []DebFile{{Path: "a_amd64.deb", SHA256: sum}}},
		{"files, arm64", forky.DebFiles("arm64"), []DebFile{{Path: "a_arm64.deb", SHA256: sum}, {Path: "d.deb", SHA256: sum, Arch: "arm64"}}},
		{"base", forky.BaseFor("amd64"), "image:h.example/pg:18"},
		{"archives", forky.ArchivesFor("amd64"), []Archive{{Name: "x", URL: "https://x.example/amd64", Suite: "forky", SignedBy: "18.asc"}}},
		{"bundle", forky.BundleFor("amd64"), Bundle{Packages: []string{"b-18"}, Data: []Data{{Package: "c-18", From: "usr/18", To: "share/x"}}}},
		{"no tree", forky.Trees("amd64"), []string(nil)},
		{"no pgxs", forky.PGXSFor("amd64"), (*PGXS)(nil)},
		{"source replaced", sid.Packages("amd64"), []string(nil)},
		{"trees, amd64", sid.Trees("amd64"), []string{"out/18"}},
		{"trees, arm64", sid.Trees("arm64"), []string{"out/18", "out/arm64"}},
		{"base by default", sid.BaseFor("amd64"), "cnpg-minimal"},
		{"pgxs", trixie.PGXSFor("amd64"), &PGXS{Path: "src-18", Configure: []string{"./configure", "amd64"}, MakeArgs: []string{"${pg}"}}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestResolutionChecksum(t *testing.T) {
	sum := func(yaml, arch string) string {
		t.Helper()
		targets, err := parse(t, yaml).Select(Selection{})
		if err != nil {
			t.Fatal(err)
		}
		return ResolutionChecksum(targets[0], arch)
	}
	const before = "name: a\nsource: {deb: {packages: ['x-${pg}', bb]}}\nbundle: {packages: [cc], libraries: [l.so.1]}\n"
	const golden = "sha256:"
	want := sum(before, "amd64")
	if !strings.HasPrefix(want, golden) || len(want) != len(golden)+64 {
		t.Errorf("ResolutionChecksum() = %q", want)
	}
	for _, tt := range []struct {
		name, yaml string
		same       bool
	}{
		{"twice", before, true},
		{"formatting", "bundle:\n  libraries: [l.so.1]\n  packages:\n  - cc\nsource:\n  deb:\n    packages:\n    - bb # first\n    - x-18\nname: a\n", true},
		{"texts", before + "summary: x\nversion: 1\nimage: b\nlicenses: MIT\nannotations: {a: b}\n", true},
		{"consumer", before + "create: [a]\nparameters: {a: b}\nenv: [{name: A, value: b}]\ntest: {sql: x}\nbin_path: [bin]\nrewrite: none\nbitcode: true\n", true},
		{"default written out", before + "targets: [{distro: trixie, postgres: [18], archs: [amd64], base: cnpg-minimal}]\n", true},
		{"packages", "name: a\nsource: {deb: {packages: ['x-${pg}', bb, dd]}}\nbundle: {packages: [cc], libraries: [l.so.1]}\n", false},
		{"bundle", "name: a\nsource: {deb: {packages: ['x-${pg}', bb]}}\nbundle: {packages: [cd], libraries: [l.so.1]}\n", false},
		{"libraries", "name: a\nsource: {deb: {packages: ['x-${pg}', bb]}}\nbundle: {packages: [cc], libraries: [l.so.2]}\n", false},
		{"archives", before + "archives: [debian]\n", false},
		{"requires", before + "requires: [x]\n", false},
		{"base", before + "targets: [{base: 'image:h.example/x'}]\n", false},
		{"postgres", before + "targets: [{postgres: [17]}]\n", false},
		{"distribution", before + "targets: [{distro: sid}]\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := sum(tt.yaml, "amd64"); (got == want) != tt.same {
				t.Errorf("ResolutionChecksum() = %s, and %s before; want the same: %v", got, want, tt.same)
			}
		})
	}
	if sum(before, "arm64") == want {
		t.Error("ResolutionChecksum() does not depend on the architecture")
	}
	const archives = "name: a\nsource: {deb: {packages: [bb]}}\narchives: [{name: debian%s}]\n"
	if sum(fmt.Sprintf(archives, ""), "amd64") != sum(fmt.Sprintf(archives, ", check_valid_until: false"), "amd64") {
		t.Error("ResolutionChecksum() depends on check_valid_until")
	}
	if sum(fmt.Sprintf(archives, ""), "amd64") == sum(fmt.Sprintf(archives, ", snapshot: 2026-01-01T00:00:00Z"), "amd64") {
		t.Error("ResolutionChecksum() does not depend on snapshot")
	}
}

// TestResolutionChecksumIsStable fails when locks that exist would all be out
// of date. Change the digest only together with the version in resolution.
func TestResolutionChecksumIsStable(t *testing.T) {
	targets, err := parse(t, smallest).Select(Selection{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "sha256:5831bbb165363588327a9aabe4f3173d78afdbd6ca21fcbd5ec2391387fb76bd"
	if got := ResolutionChecksum(targets[0], "amd64"); got != want {
		t.Errorf("ResolutionChecksum() = %s, want %s", got, want)
	}
}
