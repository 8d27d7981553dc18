package apt_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/apt"
	"github.com/pgext/pgext/internal/cache"
)

const fullStanza = `Package: postgresql-18-x
Source: x-src (1.0-1)
Version: 1:1.0-1+b2
Architecture: amd64
Multi-Arch: same
Pre-Depends: p1
Depends: d1 (>= 1),
 d2 | d3
Recommends: r1
Suggests: s1
Provides: v1 (= 3)
Conflicts: c1
Breaks: b1 (<< 2)
Section: database
Priority: optional
Essential: no
Important: yes
Filename: pool/main/x/x_1.0-1+b2_amd64.deb
Size: 12345
SHA256: 00000000000000000000000000000000000000000000000000000000000000ff
SHA512: ` + sum512 + `
Description: a thing
 with more
`

const sum512 = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f" +
	"000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"

func TestPackageFields(t *testing.T) {
	want := apt.Package{
		Name: "postgresql-18-x", Version: "1:1.0-1+b2", Arch: "amd64", Source: "x-src", SourceVersion: "1.0-1",
		Section: "database", Priority: "optional", MultiArch: "same", Protected: true,
		PreDepends: "p1", Depends: "d1 (>= 1), d2 | d3", Recommends: "r1", Suggests: "s1",
		Provides: "v1 (= 3)", Conflicts: "c1", Breaks: "b1 (<< 2)",
		Filename: "pool/main/x/x_1.0-1+b2_amd64.deb", Size: 12345,
		SHA256: strings.Repeat("0", 62) + "ff", SHA512: sum512,
		Archive: "debian", Suite: "suite0",
	}
	got, ok := load(t, "amd64", fullStanza).Candidate("postgresql-18-x")
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestIndex(t *testing.T) {
	ix := load(t, "amd64",
		archiveText(`b 1; Provides: v
			a 1; Priority: required; Architecture: all
			pg-18-x 1
			foreign 1; Architecture: arm64`),
		archiveText(`a 2; Priority: required
			b 1; Provides: w
			c 1; Provides: v; Priority: required
			pg-18-y 1
			pg-17-x 1`))
	for _, c := range []struct {
		what string
		got  []apt.Package
		want string
	}{
		{"All", slices.Collect(ix.All()), "a 2 suite1, b 1 suite0, c 1 suite1, pg-17-x 1 suite1, pg-18-x 1 suite0, pg-18-y 1 suite1"},
		{"Versions", ix.Versions("a"), "a 2 suite1, a 1 suite0"},
		{"Versions that are equal", ix.Versions("b"), "b 1 suite0, b 1 suite1"},
		{"Versions of nothing", ix.Versions("foreign"), ""},
		{"Providers", ix.Providers("v"), "b 1 suite0, c 1 suite1"},
		{"Providers, of candidates only", ix.Providers("w"), ""},
		{"ByPriority", ix.ByPriority("required"), "a 2 suite1, c 1 suite1"},
		{"ByPriority unknown", ix.ByPriority("extra"), ""},
		{"Matching a prefix", ix.Matching("pg-18"), "pg-18-x 1 suite0, pg-18-y 1 suite1"},
		{"Matching a pattern", ix.Matching("pg-*-x"), "pg-17-x 1 suite1, pg-18-x 1 suite0"},
		{"Matching a bad pattern", ix.Matching("pg-["), ""},
	} {
		var got []string
		for _, p := range c.got {
			got = append(got, p.Name+" "+p.Version+" "+p.Suite)
		}
		if g := strings.Join(got, ", "); g != c.want {
			t.Errorf("%s: got %s, want %s", c.what, g, c.want)
		}
	}
	if _, ok := ix.Candidate("foreign"); ok {
		t.Error("a package of a foreign architecture is a candidate")
	}
}

func TestNearest(t *testing.T) {
	ix := load(t, "amd64", archiveText(`postgresql-18-pgvector 1
		postgresql-18-postgis-3 1
		postgresql-18-postgis-3-scripts 1
		postgresql-17-postgis-3 1
		postgis 1
		libpq5 1`))
	for name, want := range map[string][]string{
		"postgresql-18-pgvecto":  {"postgresql-18-pgvector"},
		"postgresql-18-postgis":  {"postgresql-18-postgis-3", "postgresql-17-postgis-3"},
		"postgresql-postgis-3":   {"postgresql-17-postgis-3", "postgresql-18-postgis-3"},
		"libpq":                  {"libpq5"},
		"completely-different":   nil,
		strings.Repeat("x", 300): nil,
	} {
		if diff := cmp.Diff(want, ix.Nearest(name, 2)); diff != "" {
			t.Errorf("%.40s (-want +got):\n%s", name, diff)
		}
	}
}

// countingFile is a File that counts how often it is opened.
func countingFile(text, sum string, opened *int) apt.File {
	return apt.File{Archive: "debian", Suite: "forky", Component: "main", Arch: "amd64", SHA256: sum, Open: func() (io.ReadCloser, error) {
		*opened++
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

func TestLoadUsesTheCache(t *testing.T) {
	dir := t.TempDir()
	c, err := cache.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	opened := 0
	file := countingFile(fullStanza, strings.Repeat("ab", 32), &opened)
	var seen []apt.Package
	read := func() {
		t.Helper()
		ix, err := apt.Load(t.Context(), c, []apt.File{file}, "amd64")
		if err != nil {
			t.Fatal(err)
		}
		seen = slices.Collect(ix.All())
	}
	read()
	first := seen
	read()
	if diff := cmp.Diff(first, seen); opened != 1 || diff != "" {
		t.Errorf("opened %d times, %s", opened, diff)
	}
	damage(t, dir)
	read()
	if diff := cmp.Diff(first, seen); opened != 2 || diff != "" {
		t.Errorf("after damage: opened %d times, %s", opened, diff)
	}
}

// damage changes the last byte of every file below dir.
func damage(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || len(b) == 0 {
			return err
		}
		b[len(b)-1] ^= 1
		return os.WriteFile(path, b, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }
func (r failingReader) Close() error             { return r.err }

func TestLoadErrors(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name string
		open func() (io.ReadCloser, error)
		want string
	}{
		{"open", func() (io.ReadCloser, error) { return nil, boom }, "boom"},
		{"read", func() (io.ReadCloser, error) { return failingReader{boom}, nil }, "line 1: boom"},
		{
			"close", func() (io.ReadCloser, error) {
				return struct {
					io.Reader
					io.Closer
				}{strings.NewReader(""), failingReader{boom}}, nil
			}, "boom",
		},
		{"syntax", textFile("Package: a\nVersion\n"), `line 2: "Version" is not a field: it has no colon`},
		{"no version", textFile("Package: a\nArchitecture: amd64\n\n"), `line 3: package "a" has no name, version or architecture`},
		{"size", textFile("Package: a\nVersion: 1\nArchitecture: all\nSize: x\n"), `line 4: package a: size "x" is not a number`},
		{"digest", textFile("Package: a\nVersion: 1\nArchitecture: all\nSHA256: 00\n"), `line 4: package a: sha256 "00" is not a digest`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := apt.File{Archive: "debian", Suite: "forky", Component: "main", Arch: "amd64", Open: c.open}
			_, err := apt.Load(t.Context(), nil, []apt.File{f}, "amd64")
			if want := "reading the packages of debian forky/main amd64: " + c.want; message(err) != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func textFile(text string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

func TestLoadStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped")
	cancel(stop)
	opened := 0
	_, err := apt.Load(ctx, nil, []apt.File{countingFile(fullStanza, "", &opened)}, "amd64")
	if !errors.Is(err, stop) {
		t.Errorf("got %v, want %v", err, stop)
	}
}

func TestLoadSkipsOtherArchitectures(t *testing.T) {
	opened := 0
	file := countingFile(fullStanza, "", &opened)
	file.Arch = "arm64"
	ix, err := apt.Load(t.Context(), nil, []apt.File{file}, "amd64")
	if err != nil || opened != 0 {
		t.Fatalf("%v, opened %d times", err, opened)
	}
	if got := fmt.Sprint(labels(slices.Collect(ix.All()))); got != "[]" {
		t.Errorf("got %s", got)
	}
}
