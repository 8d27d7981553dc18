package apt

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scanAll returns the wanted fields of every stanza, by name.
func scanAll(text string) (out []map[string]string, err error) {
	s := newStanzaScanner(strings.NewReader(text))
	for {
		st, err := s.next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		m := map[string]string{}
		for i, v := range st {
			if len(v) > 0 {
				m[fieldNames[i]] = string(v)
			}
		}
		out = append(out, m)
	}
}

func TestStanzaScanner(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []map[string]string
		err        string
	}{
		{name: "nothing", text: ""},
		{name: "empty lines only", text: "\n \n\n"},
		{
			name: "two stanzas, no newline at the end",
			text: "Package: a\nVersion: 1\n\n\nPackage: b",
			want: []map[string]string{{"package": "a", "version": "1"}, {"package": "b"}},
		},
		{
			name: "names in any case, unwanted fields and their continuations",
			text: "PACKAGE: a\nDescription: x\n y\n .\n z\nmulti-arch:same\n",
			want: []map[string]string{{"package": "a", "multi-arch": "same"}},
		},
		{
			name: "a folded field, carriage returns",
			text: "Depends: a,\r\n b,\r\n\tc\r\n\r\nPackage: x\r\n",
			want: []map[string]string{{"depends": "a, b, c"}, {"package": "x"}},
		},
		{
			name: "a field that starts on its second line",
			text: "Depends:\n a\n",
			want: []map[string]string{{"depends": "a"}},
		},
		{name: "no colon", text: "Package: a\nnonsense\n", err: `line 2: no field name in "nonsense"`},
		{name: "continuation at the start", text: " x\n", err: "line 1: continuation of no field"},
		{name: "a field twice", text: "Package: a\npackage: b\n", err: "line 2: field package appears twice"},
		{name: "a line without end", text: "Depends: " + strings.Repeat("x", maxLine), err: "line 1: longer than 1048576 bytes"},
		{
			name: "a field without end", text: "Depends: x\n" + strings.Repeat(" "+strings.Repeat("x", maxLine/2)+"\n", 9),
			err: "line 9: field depends is longer than 4194304 bytes",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := scanAll(c.text)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Fatalf("got error %v, want %s", err, c.err)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Fatalf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestEachName(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		"a":                          "a",
		"a, b":                       "a b",
		"a (>= 1) | b:any (<< 2),c":  "a b/any c",
		" a(=1)|b [amd64] <!x> , d ": "a b d",
		"a,,|b":                      "a b",
		"a\n b":                      "a",
	} {
		var got []string
		eachName([]byte(text), func(name, qualifier []byte) {
			s := string(name)
			if len(qualifier) > 0 {
				s += "/" + string(qualifier)
			}
			got = append(got, s)
		})
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%q: got %q, want %q", text, g, want)
		}
	}
}

// FuzzTable feeds the scanner and the table: whatever is accepted can be read
// back in full, twice the same.
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
			w, s := newTableWriter("amd64"), newStanzaScanner(bytes.NewReader(text))
			for {
				st, err := s.next()
				if errors.Is(err, io.EOF) {
					return w.table()
				}
				if err != nil || w.add(st) != nil {
					return nil
				}
			}
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

// FuzzDamagedTable opens tables that are not what was written: nothing panics.
func FuzzDamagedTable(f *testing.F) {
	w := newTableWriter("amd64")
	var st stanza
	for i, v := range []string{"a", "1", "amd64"} {
		st[i] = []byte(v)
	}
	st[fieldProvides], st[fieldDepends] = []byte("v (= 1)"), []byte("b | c")
	if err := w.add(&st); err != nil {
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
