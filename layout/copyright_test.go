package layout

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/lock"
)

func TestCopyrightOwner(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"its own directory", "usr/share/doc/p/copyright = text", "p"},
		{"no directory", "usr/lib/p.so", "p"},
		{"a link to another package", "usr/share/doc/p -> libp1", "libp1"},
		{"a link through the parent directory", "usr/share/doc/p -> ../doc/libp1/", "libp1"},
		{"an absolute link", "usr/share/doc/p -> /usr/share/doc/libp1", "libp1"},
		{"a link into a subdirectory", "usr/share/doc/p -> libp1/sub", "p"},
		{"a link to the parent directory", "usr/share/doc/p -> .", "p"},
		{"a link to another directory", "usr/share/doc/p -> ../licenses/libp1", "p"},
		{"a link out of the root", "usr/share/doc/p -> ../../../../../etc", "p"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := CopyrightOwner(bare(t, "p", lock.Extension, tt.file)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestStatements checks packages of one source that share the copyright file of one
// of them, which may have no other file in the image.
func TestStatements(t *testing.T) {
	const docs = "usr/share/doc/"
	in := Input{Packages: []Package{
		bare(t, "postgresql-18-x", lock.Extension, mod+"x.so = "+elfMagic, ext+"x.control = default_version = '1'", ext+"x--1.sql", docs+"postgresql-18-x -> x-common"),
		bare(t, "postgresql-18-y", lock.Extension, mod+"y.so = "+elfMagic, docs+"postgresql-18-y/copyright = "+dep5("MIT")),
		bare(t, "x-common", lock.Data, docs+"x-common/copyright = "+dep5("ISC")),
		bare(t, "x-unused", lock.Data, docs+"x-unused/copyright = "+dep5("Zlib")),
	}}
	got := map[string]string{}
	for name, l := range arrange(t, in).Statements() {
		got[name] = l.Expression
	}
	want := map[string]string{"postgresql-18-x": "ISC", "x-common": "ISC", "postgresql-18-y": "MIT"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
