package builder_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/builder"
	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
)

// A library that a module opens by the name of a development link, as
// mysql_fdw opens libmysqlclient.so, is in the image under that name, and what
// it needs itself under its SONAME. The package of the link gives nothing.
func TestBundleByTheNameOfALink(t *testing.T) {
	d := thing("1.0-1")
	d.fields = "Source: thing\nDepends: postgresql-18, libc6, libopened-dev\n"
	dev := deb{name: "libopened-dev", version: "1-1", fields: "Depends: libopened3\n", files: func(arch string) []debtest.File {
		return []debtest.File{{Path: "usr/lib/" + tuples[arch] + "/libopened.so", Link: "libopened.so.3"}}
	}}
	opened := library("libopened3", "libopened.so.3", "libc.so.6", "libdeeper.so.1")
	opened.fields += "Depends: libdeeper1\n"
	f := newFixture(t, d, dev, opened, library("libdeeper1", "libdeeper.so.1", "libc.so.6"))
	b := f.builder()
	p := f.plan(b, f.recipe("bundle: {libraries: [libopened.so]}\n"), builder.Keep)
	want := bothArchs("libdeeper1 1-1 library, libopened3 1-1 data, postgresql-18-thing 1.0-1 extension")
	if diff := cmp.Diff(pinned(p), want); diff != "" {
		t.Errorf("pins (-got +want):\n%s", diff)
	}
	again := f.plan(f.builder(), f.recipe("bundle: {libraries: [libopened.so]}\n"), builder.Locked)
	got := f.build(b, again, t.TempDir())
	for arch, files := range paths(t, got.Path, got.Tags[0]) {
		var system []string
		for _, file := range files {
			if strings.HasPrefix(file, "system/") {
				system = append(system, file)
			}
		}
		if diff := cmp.Diff(system, []string{"system/libdeeper.so.1", "system/libopened.so"}); diff != "" {
			t.Errorf("%s: libraries (-got +want):\n%s", arch, diff)
		}
	}
	if diff := cmp.Diff(labelled(t, got).LDLibraryPath, []string{"system"}); diff != "" {
		t.Errorf("ld_library_path (-got +want):\n%s", diff)
	}
}

// Required extensions are named with the package that has them: depended on
// or not, behind an alternative in a half of its image or not. What no package
// has is a finding.
func TestRequiredFromElsewhere(t *testing.T) {
	const dir = "usr/share/postgresql/18/extension/"
	d := extension("postgresql-18-thing", "1.0-1", "Source: thing\nDepends: postgresql-18, libc6, postgresql-18-near\n",
		"requires = 'near, geo, nowhere, cube'\n")
	near := extension("postgresql-18-near", "1-1", "Source: near\nDepends: postgresql-18\n", "")
	geo := deb{name: "postgresql-18-geo-3", version: "3-1", fields: "Source: geo\nProvides: postgresql-18-geo\nDepends: postgresql-18, postgresql-18-geo-3-scripts\n"}
	scripts := deb{
		name: "postgresql-18-geo-3-scripts", version: "3-1", fields: "Source: geo\n", all: true,
		files: func(string) []debtest.File {
			return []debtest.File{{Path: dir + "geo.control", Content: "default_version = '3'\n"}}
		},
	}
	f := newFixture(t, d, near, geo, scripts)
	b := f.builder()
	p := f.plan(b, f.recipe(""), builder.Keep)
	want := []lock.Require{
		{Extension: "geo", Package: "postgresql-18-geo-3", Image: "geo-3"},
		{Extension: "near", Package: "postgresql-18-near", Image: "near"},
		{Extension: "nowhere"},
	}
	if diff := cmp.Diff(p.Targets[0].Architectures[0].Pins.Requires, want); diff != "" {
		t.Errorf("requires (-got +want):\n%s", diff)
	}
	var got []string
	for _, found := range f.build(b, p, t.TempDir()).Findings {
		if found.Severity == finding.Warning {
			got = append(got, found.Code+" "+found.Arch+" "+found.Text)
		}
	}
	const text = "thing requires nowhere, which was not found in a package of the archives"
	if diff := cmp.Diff(got, []string{"PGX033 amd64 " + text, "PGX033 arm64 " + text}); diff != "" {
		t.Errorf("warnings (-got +want):\n%s", diff)
	}
}
