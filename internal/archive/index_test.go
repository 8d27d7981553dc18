package archive_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/archive"
	"github.com/pgext/pgext/internal/archive/archivetest"
	"github.com/pgext/pgext/internal/fetch"
)

func TestIndexes(t *testing.T) {
	const folder = "dists/trixie/main/binary-amd64/"
	tests := []struct {
		name   string
		change func(*archivetest.Suite)
		tamper func(*archivetest.Archive)
		format string
		want   []string
	}{
		{name: "the smallest", format: "xz"},
		{name: "SHA512 alone", change: func(s *archivetest.Suite) { s.Digests = []string{"SHA512"} }, format: "xz"},
		{name: "SHA256 and SHA512", change: func(s *archivetest.Suite) { s.Digests = []string{"SHA256", "SHA512"} }, format: "xz"},
		{name: "detached signature", change: func(s *archivetest.Suite) { s.Detached = true }, format: "xz"},
		{name: "zstd", change: func(s *archivetest.Suite) { s.Formats = []string{".zst"} }, format: "zstd"},
		{name: "plain", change: func(s *archivetest.Suite) { s.Formats = []string{""} }, format: "none"},
		{name: "no by-hash", change: func(s *archivetest.Suite) { s.NoByHash = true }, format: "xz"},
		{
			name:   "by-hash promised and absent",
			tamper: func(a *archivetest.Archive) { a.Remove(folder + "by-hash/*/*") }, format: "xz",
		},
		{
			name:   "xz listed and absent",
			change: func(s *archivetest.Suite) { s.NoByHash = true },
			tamper: func(a *archivetest.Archive) { a.Remove(folder + "Packages.xz") }, format: "gzip",
		},
		{
			name:   "server busy, connection lost",
			change: func(s *archivetest.Suite) { s.NoByHash = true },
			tamper: func(a *archivetest.Archive) {
				a.Fail("dists/trixie/InRelease", http.StatusServiceUnavailable, 2)
				a.Truncate(folder+"Packages.xz", 1)
			},
			format: "xz",
		},
		{
			name: "all in an index of its own", change: func(s *archivetest.Suite) { s.SeparateAll = true }, format: "xz",
			want: []string{"trixie/main/amd64: postgresql-18-pgvector", "trixie/main/all: postgresql-18-postgis-3-scripts"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := archivetest.Debian("trixie", "stable", vector, scripts)
			for i := range 200 { // enough that xz is smaller than gzip
				s.Packages = append(s.Packages, pkg(fmt.Sprintf("filler-%d", i), "amd64"))
			}
			if tt.change != nil {
				tt.change(&s)
			}
			a := archivetest.New(t, s)
			if tt.tamper != nil {
				tt.tamper(a)
			}
			got, err := archive.Open(t.Context(), custom(a, "trixie"), []string{"amd64"}, options(t))
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if want == nil {
				want = []string{"trixie/main/amd64: postgresql-18-pgvector postgresql-18-postgis-3-scripts"}
			}
			lines := list(t, got)
			for i := range lines {
				lines[i] = regexp.MustCompile(` filler-\d+`).ReplaceAllString(lines[i], "")
			}
			if diff := cmp.Diff(lines, want); diff != "" {
				t.Errorf("packages (-got +want):\n%s", diff)
			}
			if got.Packages[0].Format != tt.format {
				t.Errorf("got format %s, want %s", got.Packages[0].Format, tt.format)
			}
		})
	}
}

func TestAbsent(t *testing.T) {
	a := archivetest.New(t, archivetest.Debian("trixie", "stable", vector))
	t.Run("optional suite", func(t *testing.T) {
		d := custom(a, "trixie", "trixie-updates")
		d.Optional = []string{"trixie-updates"}
		got, err := archive.Open(t.Context(), d, []string{"amd64"}, options(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Releases) != 1 {
			t.Errorf("got %d releases, want 1", len(got.Releases))
		}
	})
	t.Run("suite", func(t *testing.T) {
		_, err := archive.Open(t.Context(), custom(a, "trixie", "duke"), []string{"amd64"}, options(t))
		var unknown *archive.UnknownSuiteError
		if !errors.As(err, &unknown) || unknown.ExitCode() != 12 || unknown.Suite != "duke" {
			t.Errorf("got error %v, want an UnknownSuiteError for duke", err)
		}
	})
	t.Run("architecture", func(t *testing.T) {
		_, err := archive.Open(t.Context(), custom(a, "trixie"), []string{"amd64", "s390x"}, options(t))
		var unknown *archive.UnknownIndexError
		if !errors.As(err, &unknown) || unknown.ExitCode() != 12 || unknown.Hint() != "it has them for amd64, arm64" {
			t.Errorf("got error %v, want an UnknownIndexError for s390x", err)
		}
	})
	t.Run("component", func(t *testing.T) {
		d := custom(a, "trixie")
		d.Components = []string{"main", "contrib"}
		_, err := archive.Open(t.Context(), d, []string{"amd64"}, options(t))
		var unknown *archive.UnknownIndexError
		if !errors.As(err, &unknown) || unknown.Hint() != "the suite has no component of that name" {
			t.Errorf("got error %v, want an UnknownIndexError for contrib", err)
		}
	})
	t.Run("index gone", func(t *testing.T) {
		b := archivetest.New(t, archivetest.Suite{Name: "trixie", NoByHash: true})
		b.Remove("dists/trixie/main/binary-amd64/*")
		_, err := archive.Open(t.Context(), custom(b, "trixie"), []string{"amd64"}, options(t))
		var gone *fetch.NotFoundError
		if !errors.As(err, &gone) {
			t.Errorf("got error %v, want a NotFoundError", err)
		}
	})
}
