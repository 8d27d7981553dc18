package apt

import (
	"bytes"
	"io"
	"math/rand"
	"reflect"
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/debian"
)

// A record keeps every field of a package.
func TestRecord(t *testing.T) {
	for seed := range int64(50) {
		v, _ := quick.Value(reflect.TypeFor[Package](), rand.New(rand.NewSource(seed)))
		want := v.Interface().(Package)
		want.Archive, want.Suite = "", "" // of the file
		want.Source, want.SourceVersion = "src"+want.Source, "1"+want.SourceVersion
		want.Size &= 1<<62 - 1
		want.SHA256, want.SHA512 = strings.Repeat("0a", 32), strings.Repeat("b1", 64)
		if diff := cmp.Diff(want, parseRecord(string(want.appendRecord(nil)))); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

// FuzzTable: every package of an accepted file is found in its table, and the same
// file gives the same table.
func FuzzTable(f *testing.F) {
	for _, seed := range []string{
		"", "Package: a\nVersion: 1\nArchitecture: amd64\n",
		"Package: a\nVersion: 1:2~x-3\nArchitecture: all\nSource: s (2)\nDepends: b (>= 1) | c:any,\n d\n" +
			"Provides: v (= 1), w\nSize: 10\nSHA256: " + strings.Repeat("0a", 32) + "\nEssential: yes\n\nPackage: b\n",
		"Package: a\nVersion: 1\nArchitecture: amd64\nSize: -1\n", "Package\n", " x", "Package: a\nSHA256: 00\n",
		"Package: a\nVersion: 1\nArchitecture: amd64\nProvides: ,,(|:\nConflicts: [\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		build := func() []byte {
			b, err := parseFile(t.Context(), File{Open: func() (io.ReadCloser, error) {
				return io.NopCloser(bytes.NewReader(text)), nil
			}}, "amd64")
			if err != nil {
				return nil
			}
			return b
		}
		b := build()
		if !bytes.Equal(b, build()) {
			t.Fatal("twice gives different tables")
		}
		if b == nil {
			return
		}
		tb, err := openTable(File{}, b)
		if err != nil {
			t.Fatal(err)
		}
		ix := &Index{arch: "amd64", tables: []*table{tb}}
		for p := range ix.All() {
			if first, end := tb.find(p.Name); first == end {
				t.Fatalf("%q is not found", p.Name)
			}
			_, _ = ix.Install(nil, []string{p.Name})
		}
	})
}

// FuzzDamagedTable: lookups in a damaged table do not panic.
func FuzzDamagedTable(f *testing.F) {
	w := newTableWriter("amd64")
	if err := w.add(debian.NewParagraph(
		debian.Field{Name: "Package", Value: "a"}, debian.Field{Name: "Version", Value: "1"}, debian.Field{Name: "Architecture", Value: "amd64"},
		debian.Field{Name: "Provides", Value: "v (= 1)"}, debian.Field{Name: "Depends", Value: "b | c"},
	)); err != nil {
		f.Fatal(err)
	}
	whole := w.table()
	f.Add(whole)
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 0xff
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		tb, err := openTable(File{}, b)
		if err != nil {
			return
		}
		ix := &Index{arch: "amd64", tables: []*table{tb}}
		ix.Candidate("a")
		ix.Providers("v")
		ix.rank("b")
		_, _ = ix.Install(nil, []string{"a"})
	})
}
