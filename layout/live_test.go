package layout

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/debextract"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/testmirror"
)

// fromMirror returns a package of forky for amd64 with all files.
func fromMirror(tb testing.TB, name string) Package {
	tb.Helper()
	f, err := os.Open(testmirror.Deb(tb, "forky", "amd64", name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	deb, err := debextract.Open(f, info.Size(), debextract.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	c, err := deb.Control()
	if err != nil {
		tb.Fatal(err)
	}
	p := Package{Name: name, Version: c.Paragraph.Get("Version"), Arch: c.Paragraph.Get("Architecture"), Role: lock.Extension, Scripts: c.Scripts, Objects: map[string]elf.Object{}}
	var entries []filetree.Entry
	byPath := map[string]filetree.Entry{}
	err = deb.Walk(context.Background(), func(e debextract.Entry, r io.Reader) error {
		n := e.Entry
		if n.Kind == filetree.File && e.HardLink == "" {
			b, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			n = n.Holding(b)
			if o, err := elf.Read(strings.NewReader(string(b)), n.Size); !errors.Is(err, elf.ErrNotELF) {
				p.Objects[n.Path] = o
			}
		} else if e.HardLink != "" {
			n.SHA256, n.Content = byPath[e.HardLink].SHA256, byPath[e.HardLink].Content
		}
		byPath[n.Path] = n
		entries = append(entries, n)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	if p.Tree, err = filetree.New(entries); err != nil {
		tb.Fatal(err)
	}
	return p
}

// TestPostGIS checks PostGIS, which has control files that are links of
// update-alternatives, hundreds of scripts with $libdir, and two packages.
func TestPostGIS(t *testing.T) {
	packages := []Package{fromMirror(t, "postgresql-18-postgis-3"), fromMirror(t, "postgresql-18-postgis-3-scripts")}
	r := arrange(t, Input{Packages: packages})
	if worst, _ := finding.Worst(r.Findings); worst == finding.Error {
		t.Errorf("findings: %v", texts(r.Findings))
	}
	var names []string
	for _, e := range r.Extensions {
		names = append(names, e.Name)
	}
	want := []string{"address_standardizer", "address_standardizer_data_us", "postgis", "postgis_raster", "postgis_sfcgal", "postgis_tiger_geocoder", "postgis_topology"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("extensions (-want +got):\n%s", diff)
	}
	if !slices.Contains(r.Modules, "postgis-3") || len(r.Unscripted) > 0 {
		t.Errorf("Modules = %v, Unscripted = %v", r.Modules, r.Unscripted)
	}
	scripts := 0
	for e := range r.Extension.Under("share").All() {
		if e.Kind != filetree.File || path.Ext(e.Path) != ".sql" && path.Ext(e.Path) != ".control" {
			continue
		}
		scripts++
		b, err := e.ReadAll(64 << 20)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "'$libdir/") {
			t.Errorf("%s still contains $libdir", e.Path)
		}
	}
	if scripts < 20 {
		t.Errorf("the image has %d scripts and control files, want more", scripts)
	}
	accounted(t, packages, r)
}

// TestSpecialPackages checks packages with special cases.
func TestSpecialPackages(t *testing.T) {
	for _, tc := range []struct {
		name  string
		check func(Result) bool
		what  string
	}{
		{"postgresql-18-unit", func(r Result) bool { return r.Mount == "/extensions/x" }, "a script with an absolute path sets the mount"},
		{"postgresql-18-wal2json", func(r Result) bool { return slices.Equal(r.Modules, []string{"wal2json"}) && len(r.Extensions) == 0 }, "an output plugin is not an extension"},
		{"postgresql-18-partman", func(r Result) bool { return r.BinPath == nil && len(r.Findings) >= 3 }, "Python programs are omitted"},
		{"postgresql-18-repack", func(r Result) bool { _, ok := r.Extension.Get("bin/pg_repack"); return ok }, "a program is placed once"},
		{"postgresql-18-pgfincore", func(r Result) bool { return len(r.Extensions) == 1 }, "scripts are found in another directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			packages := []Package{fromMirror(t, tc.name)}
			r := arrange(t, Input{Packages: packages})
			if !tc.check(r) {
				t.Errorf("%s: extensions %v, modules %v, findings %v", tc.what, r.Extensions, r.Modules, texts(r.Findings))
			}
			accounted(t, packages, r)
		})
	}
}

func BenchmarkPostGIS(b *testing.B) {
	in := Input{Name: "postgis", Postgres: 18, Packages: []Package{fromMirror(b, "postgresql-18-postgis-3"), fromMirror(b, "postgresql-18-postgis-3-scripts")}}
	for b.Loop() {
		if _, err := Arrange(in); err != nil {
			b.Fatal(err)
		}
	}
}
