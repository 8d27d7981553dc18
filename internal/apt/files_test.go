package apt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/debextract/debtest"
	"github.com/pgext/pgext/internal/apt"
)

// fileCases: what apt-get adds beside the files of the command line.
var fileCases = []struct {
	name, archive string
	files         []apt.Package
	names, want   string
	err           string
}{
	{
		name:    "dependencies come from the archive",
		archive: "b 1; Depends: c\nc 2\nd 1",
		files:   []apt.Package{{Name: "a", Version: "1", Arch: "amd64", Depends: "b, c (>= 2)"}},
		want:    "a 1, b 1, c 2",
	},
	{
		name:    "the file wins over a higher version",
		archive: "a 9\nb 1",
		files:   []apt.Package{{Name: "a", Version: "1", Arch: "amd64", Depends: "b"}},
		want:    "a 1, b 1",
	},
	{
		name:    "files depend on each other",
		archive: "c 1",
		files: []apt.Package{
			{Name: "a", Version: "1", Arch: "amd64", Depends: "b (= 1)"},
			{Name: "b", Version: "1", Arch: "all", Depends: "c"},
		},
		want: "a 1, b 1, c 1",
	},
	{
		name:    "with names",
		archive: "c 1\nd 1; Depends: virtual",
		files:   []apt.Package{{Name: "a", Version: "1", Arch: "amd64", Provides: "virtual"}},
		names:   "d",
		want:    "a 1, d 1",
	},
	{
		name:    "what the archive lacks",
		archive: "c 1",
		files:   []apt.Package{{Name: "a", Version: "1", Arch: "amd64", Depends: "c (>= 2)"}},
		err:     "package a cannot be installed: a depends on c (>= 2)",
	},
}

func TestInstallFiles(t *testing.T) {
	for _, c := range fileCases {
		t.Run(c.name, func(t *testing.T) {
			ix := load(t, "amd64", archiveText(c.archive))
			added, err := ix.InstallFiles(nil, c.files, strings.Fields(c.names))
			if c.err != "" || err != nil {
				if !strings.HasPrefix(message(err), c.err) || c.err == "" {
					t.Fatalf("got %v, want %s", err, c.err)
				}
				return
			}
			var got []string
			for _, p := range added {
				got = append(got, p.Name+" "+p.Version)
			}
			if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("InstallFiles() (-want +got):\n%s", diff)
			}
		})
	}
}

// TestInstallFilesAsApt: the real apt-get, given the same files, takes the same
// packages from the archive.
func TestInstallFilesAsApt(t *testing.T) {
	for _, c := range fileCases {
		t.Run(c.name, func(t *testing.T) {
			s := newSystem(t, "amd64", false)
			s.write(t, listName, archiveText(c.archive))
			s.write(t, secondListName, "")
			args := strings.Fields(c.names)
			ours := map[string]bool{}
			for _, p := range c.files {
				name := filepath.Join(s.dir, p.Name+".deb")
				deb := debtest.Build(debtest.Deb{Control: stanza(p, "")})
				if err := os.WriteFile(name, deb, 0o644); err != nil {
					t.Fatal(err)
				}
				args = append(args, name)
				ours[fmt.Sprintf("%s %s", p.Name, p.Version)] = true
			}
			got, err := s.install(t.Context(), args)
			if c.err != "" {
				if err == nil {
					t.Errorf("apt-get accepts it: %v", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for added := range strings.SplitSeq(c.want, ", ") {
				if !ours[added] {
					want = append(want, added)
				}
			}
			var rest []string
			for _, added := range got.added {
				if !ours[added] {
					rest = append(rest, added)
				}
			}
			if diff := cmp.Diff(want, rest); diff != "" {
				t.Errorf("apt-get takes (-want +got):\n%s", diff)
			}
		})
	}
}
