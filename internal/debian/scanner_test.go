package debian

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func scan(text string, comments bool) ([]Paragraph, error) {
	s := NewScanner(strings.NewReader(text))
	s.Comments = comments
	var out []Paragraph
	for s.Scan() {
		out = append(out, s.Paragraph())
	}
	return out, s.Err()
}

func TestScanner(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		comments   bool
		want       []Paragraph
	}{
		{"empty", "", false, nil},
		{"only blank lines", "\n \n\t\r\n", false, nil},
		{"two paragraphs", "Package: a\nVersion: 1\n\n\nPackage: b\n", false, []Paragraph{
			NewParagraph(Field{"Package", "a"}, Field{"Version", "1"}),
			NewParagraph(Field{"Package", "b"}),
		}},
		{"continuations", "Description: short\n  code\n .\n\ttext  \nConffiles:\n /etc/a 0\n", false, []Paragraph{
			NewParagraph(Field{"Description", "short\n code\n.\ntext"}, Field{"Conffiles", "\n/etc/a 0"}),
		}},
		{"no newline at the end", "A: 1", false, []Paragraph{NewParagraph(Field{"A", "1"})}},
		{"carriage returns", "A: 1\r\nB: 2\r\n\r\nC: 3\r\n", false, []Paragraph{
			NewParagraph(Field{"A", "1"}, Field{"B", "2"}), NewParagraph(Field{"C", "3"}),
		}},
		{"empty value, colon in value", "A:\nB: http://x:1/\n", false, []Paragraph{
			NewParagraph(Field{"A", ""}, Field{"B", "http://x:1/"}),
		}},
		{"comments", "# head\nA: 1\n# middle\n 2\n", true, []Paragraph{NewParagraph(Field{"A", "1\n2"})}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := scan(tc.text, tc.comments)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "F%d: 1\n", i)
	}
	return b.String()
}

func TestScannerErrors(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"no colon", "A: 1\nnonsense\n", `line 2: "nonsense" is not a field: it has no colon`},
		{"continuation first", "A: 1\n\n x\n", "line 3: continuation line without a field"},
		{"twice", "A: 1\na: 2\n", "line 2: field a appears twice"},
		{"hyphen", "-A: 1\n", `line 1: field name "-A" is not allowed`},
		{"comment", "# A: 1\n", `line 1: field name "# A" is not allowed`},
		{"space in name", "A B: 1\n", `line 1: field name "A B" is not allowed`},
		{"no name", ": 1\n", `line 1: field name "" is not allowed`},
		{"NUL", "A: \x00\n", "line 1: a NUL byte in the text"},
		{"many fields", manyFields(maxFields + 1), "line 1001: more than 1000 fields"},
		{"long line", "A: 1\nB: " + strings.Repeat("x", maxLine), "line 2: longer than 1048576 bytes"},
		{"large paragraph", "A:\n" + strings.Repeat(" "+strings.Repeat("x", 1<<16)+"\n", 257), "line 257: paragraph larger than 16777216 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := scan(tc.text, false)
			if err == nil || err.Error() != tc.want {
				t.Errorf("error = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestParagraph(t *testing.T) {
	p := NewParagraph(Field{"Package", "a"}, Field{"Description", "x\n y\n\nz"}, Field{"Empty", ""})
	if got := p.Get("PACKAGE"); got != "a" {
		t.Errorf("Get(PACKAGE) = %q", got)
	}
	if _, ok := p.Lookup("Empty"); !ok {
		t.Error("Lookup(Empty) does not find an empty field")
	}
	if _, ok := p.Lookup("Absent"); ok {
		t.Error("Lookup(Absent) finds something")
	}
	if diff := cmp.Diff("Package: a\nDescription: x\n  y\n .\n z\nEmpty:\n", p.String()); diff != "" {
		t.Errorf("String() (-want +got):\n%s", diff)
	}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back Paragraph
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !back.Equal(p) {
		t.Errorf("after JSON: %q", back.Fields())
	}
	fields := p.Fields()
	fields[0].Value = "changed"
	if got := p.Get("Package"); got != "a" {
		t.Errorf("changing the result of Fields changes the paragraph: %q", got)
	}
}

func FuzzScanner(f *testing.F) {
	f.Add("Package: a\nDescription: b\n c\n .\n\nX: y\r\n")
	f.Add("# c\n\n \nA:\n\t1\n")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := scan(text, false)
		if err != nil {
			return
		}
		var out strings.Builder
		for _, p := range first {
			out.WriteString(p.String() + "\n")
		}
		second, err := scan(out.String(), false)
		if err != nil {
			t.Fatalf("what String writes does not parse: %v\n%q", err, out.String())
		}
		if len(first) != len(second) {
			t.Fatalf("%d paragraphs became %d: %q", len(first), len(second), out.String())
		}
		for i := range first {
			// A blank line in a value can only be written as " .".
			if first[i].String() != second[i].String() {
				t.Errorf("%q became %q", first[i].String(), second[i].String())
			}
		}
	})
}

func BenchmarkScanner(b *testing.B) {
	text := strings.Repeat("Package: a\nVersion: 1\nDepends: b (>= 1), c\nDescription: x\n y\n\n", 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := scan(text, false); err != nil {
			b.Fatal(err)
		}
	}
}
