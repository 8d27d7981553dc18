package closure

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
)

func TestConventionalNames(t *testing.T) {
	for _, tc := range []struct {
		soname string
		want   []string
	}{
		{"libproj.so.25", []string{"libproj25", "libproj-25"}},
		{"libstdc++.so.6", []string{"libstdc++6", "libstdc++-6"}},
		{"libgcc_s.so.1", []string{"libgcc-s1", "libgcc-s-1"}},
		{"libglib-2.0.so.0", []string{"libglib-2.0-0", "libglib-2.00"}},
		{"libGeographicLib.so.26", []string{"libgeographiclib26", "libgeographiclib-26"}},
		{"libgeos-3.14.so", []string{"libgeos-3.14"}},
		{"libdb-5.3.so", []string{"libdb-5.3"}},
		{".so.1", []string{""}},
		{"", []string{""}},
	} {
		if diff := cmp.Diff(conventionalNames(tc.soname), tc.want); diff != "" {
			t.Errorf("conventionalNames(%q) (-got +want):\n%s", tc.soname, diff)
		}
	}
}

// The names are taken from Debian: packages with and without the library.
func TestNamedFor(t *testing.T) {
	for _, tc := range []struct {
		pkg, soname string
		want        bool
	}{
		{"libproj25", "libproj.so.25", true},
		{"libproj-dev", "libproj.so.25", false},
		{"libproj2", "libproj.so.25", false},
		{"libglib2.0-0t64", "libglib-2.0.so.0", false}, // looked into in a later tier
		{"libboost-serialization1.88.0", "libboost_serialization.so.1.88.0", true},
		{"libcurl3t64-gnutls", "libcurl-gnutls.so.4", false},
		{"libcurl4t64", "libcurl.so.4", true},
		{"libcurl4-gnutls", "libcurl.so.4", true},
		{"libprotobuf-c1", "libprotobuf-c.so.1", true},
		{"libc6", "libc.so.6", true},
		{"libc6-dev", "libc.so.6", false},
		{"", "", true},
	} {
		if got := namedFor(tc.pkg, tc.soname); got != tc.want {
			t.Errorf("namedFor(%q, %q) = %v, want %v", tc.pkg, tc.soname, got, tc.want)
		}
	}
}

func TestCanHoldLibrary(t *testing.T) {
	for _, tc := range []struct {
		pkg  apt.Package
		want bool
	}{
		{apt.Package{Arch: "amd64", Section: "libs"}, true},
		{apt.Package{Arch: "amd64", Section: "admin"}, true},
		{apt.Package{Arch: "all", Section: "libs"}, false},
		{apt.Package{Arch: "amd64", Section: "doc"}, false},
		{apt.Package{Arch: "amd64", Section: "non-free/doc"}, false},
		{apt.Package{Arch: "amd64", Section: "contrib/localization"}, false},
	} {
		if got := canHoldLibrary(tc.pkg); got != tc.want {
			t.Errorf("canHoldLibrary(%s, %s) = %v, want %v", tc.pkg.Arch, tc.pkg.Section, got, tc.want)
		}
	}
}
