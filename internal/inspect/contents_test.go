package inspect

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pgext/pgext/internal/metadata"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/layout"
)

// TestContents checks the libraries with their packages, and the needed libraries
// that the base must supply.
func TestContents(t *testing.T) {
	own := []member{
		{path: "lib/x.so", content: object("amd64", "", "libgeos.so.1", "libc.so.6", "sibling.so")},
		{path: "lib/sibling.so", content: object("amd64", "")},
	}
	bundled := []member{{path: "system/libgeos.so.1", content: object("amd64", "libgeos.so.1", "libm.so.6")}}
	libraries := append(bundled, database("libgeos1", "3.14-1", bundled...)...)
	extension := append(own, database("postgresql-18-x", "2:1.0+dfsg-1", own...)...)
	extension = append(extension, member{path: "usr/lib/os-release", content: "ID=debian\nVERSION_CODENAME=trixie\n"})
	img := made(t, "amd64", nil, layer(t, types.OCILayer, libraries...), layer(t, types.OCILayerZStd, extension...))
	a, err := oci.FromImage(img)
	got := take(t, a, err).Images[0]

	wantLibraries := []Library{
		{Path: "lib/sibling.so", Arch: "amd64", Package: "postgresql-18-x", Version: "2:1.0+dfsg-1"},
		{Path: "lib/x.so", Arch: "amd64", Package: "postgresql-18-x", Version: "2:1.0+dfsg-1", Needed: []string{"libgeos.so.1", "libc.so.6", "sibling.so"}},
		{Path: "system/libgeos.so.1", SONAME: "libgeos.so.1", Arch: "amd64", Package: "libgeos1", Version: "3.14-1", Needed: []string{"libm.so.6"}},
	}
	if diff := cmp.Diff(wantLibraries, got.Libraries, cmpopts.IgnoreFields(Library{}, "Size")); diff != "" {
		t.Errorf("Libraries (-want +got):\n%s", diff)
	}
	wantPackages := []layout.Installed{
		{Package: "libgeos1", Version: "3.14-1", Arch: "amd64", Source: "src-libgeos1", Files: 1, Size: int64(len(bundled[0].content))},
		{Package: "postgresql-18-x", Version: "2:1.0+dfsg-1", Arch: "amd64", Source: "src-postgresql-18-x", Files: 2, Size: int64(len(own[0].content) + len(own[1].content))},
	}
	if diff := cmp.Diff(wantPackages, got.Packages); diff != "" {
		t.Errorf("Packages (-want +got):\n%s", diff)
	}
	wantNeeds := []Need{{"libc.so.6", []string{"lib/x.so"}}, {"libm.so.6", []string{"system/libgeos.so.1"}}}
	if diff := cmp.Diff(wantNeeds, got.Needs); diff != "" {
		t.Errorf("Needs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"lib", "system"}, got.LibraryPath); diff != "" {
		t.Errorf("LibraryPath (-want +got):\n%s", diff)
	}
	if got.Distro != "trixie" || got.Platform != "linux/amd64" || got.Arch != "amd64" || got.Postgres != 18 {
		t.Errorf("got %s, %s, %s, PostgreSQL %d", got.Distro, got.Platform, got.Arch, got.Postgres)
	}
}

// TestLibraryPath checks that libraries outside the label's ld_library_path are not
// found.
func TestLibraryPath(t *testing.T) {
	img := made(t, "amd64", label(t, func(m *metadata.Metadata) { m.LDLibraryPath = nil }), layer(t, types.OCILayer,
		member{path: "lib/vector.so", content: object("amd64", "", "libx.so.1")},
		member{path: "system/libx.so.1", content: object("amd64", "libx.so.1")}))
	a, err := oci.FromImage(img)
	got := take(t, a, err).Images[0]
	if diff := cmp.Diff([]Need{{"libx.so.1", []string{"lib/vector.so"}}}, got.Needs); diff != "" {
		t.Errorf("Needs (-want +got):\n%s", diff)
	}
}
