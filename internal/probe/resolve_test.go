package probe_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/probe"
)

// index returns an index that has packages.
func index(t *testing.T, arch string, names ...string) *apt.Index {
	t.Helper()
	var stanzas strings.Builder
	for _, name := range names {
		fmt.Fprintf(&stanzas, "Package: %s\nVersion: 1-1\nArchitecture: %s\nFilename: pool/%s.deb\nSize: 1\nSHA256: %s\n\n", name, arch, name, strings.Repeat("0", 64))
	}
	ix, err := apt.Load(t.Context(), nil, []apt.File{{Archive: "debian", Suite: "trixie", Arch: arch, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(stanzas.String())), nil
	}}}, arch)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func TestResolve(t *testing.T) {
	indexes := []*apt.Index{
		index(t, "amd64", "postgresql-18-pgvector", "pgvector", "postgresql-18-cron", "postgresql-17-cron", "postgresql-17-old", "postgresql-16-old", "postgresql-plperl-18"),
		index(t, "arm64", "postgresql-18-pgvector", "postgresql-18-arm"),
	}
	for _, tc := range []struct {
		name  string
		names []string
		want  []string
	}{
		{"whole names", []string{"postgresql-18-pgvector"}, []string{"postgresql-18-pgvector"}},
		{"short ones mean the extension, even where there is a package of that name", []string{"pgvector"}, []string{"postgresql-18-pgvector"}},
		{"other names", []string{"postgresql-plperl-18"}, []string{"postgresql-plperl-18"}},
		{"in their order, each once", []string{"cron", "pgvector", "postgresql-18-cron"}, []string{"postgresql-18-cron", "postgresql-18-pgvector"}},
		{"of one architecture", []string{"arm"}, []string{"postgresql-18-arm"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := probe.Resolve(indexes, "trixie", 18, tc.names)
			if err != nil {
				t.Fatalf("Resolve: %v", err)
			}
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("Resolve() (-got +want):\n%s", diff)
			}
		})
	}
	for _, tc := range []struct {
		name string
		ask  string
		text string
		hint string
		code int
	}{
		{
			"a slip", "pgvectr", "no archive of trixie has a package postgresql-18-pgvectr or pgvectr",
			"similar names: postgresql-18-pgvector\n--distro looks into another distribution, --archive into other archives", 12,
		},
		{
			"for other majors only", "postgresql-18-old", "no archive of trixie has a package postgresql-18-old or old",
			"trixie has it for PostgreSQL 16: --pg 16\ntrixie has it for PostgreSQL 17: --pg 17\n" +
				"--distro looks into another distribution, --archive into other archives", 12,
		},
		{
			"the package of another major", "postgresql-17-cron", "package postgresql-17-cron is for PostgreSQL 17, not 18",
			"--pg 17, or postgresql-18-cron", 10,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := probe.Resolve(indexes, "trixie", 18, []string{tc.ask})
			var told interface {
				error
				Hint() string
				ExitCode() int
			}
			if !errors.As(err, &told) {
				t.Fatalf("Resolve() = %v, want an error with a hint", err)
			}
			if diff := cmp.Diff([]any{told.Error(), told.Hint(), told.ExitCode()}, []any{tc.text, tc.hint, tc.code}); diff != "" {
				t.Errorf("Resolve() (-got +want):\n%s", diff)
			}
		})
	}
}
