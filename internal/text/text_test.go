package text

import (
	"testing"
	"unicode/utf8"
)

func TestTruncate(t *testing.T) {
	for _, tc := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc…"},
		{"aä", 2, "a…"},
		{"ää", 3, "ä…"},
		{"\xff\xfe\xfd", 2, "\xff\xfe…"},
		{"\x80\x80\x80", 2, "…"},
	} {
		if got := Truncate(tc.text, tc.limit); got != tc.want {
			t.Errorf("Truncate(%q, %d) = %q, want %q", tc.text, tc.limit, got, tc.want)
		}
	}
	if got, want := TruncateLine(" a\n\t b\r\nc d", 5), "a b c…"; got != want {
		t.Errorf("TruncateLine() = %q, want %q", got, want)
	}
}

func TestListAndPlural(t *testing.T) {
	for want, names := range map[string][]string{"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"}} {
		if got := List(names); got != want {
			t.Errorf("List(%q) = %q, want %q", names, got, want)
		}
	}
	for n, want := range []string{"0 files", "1 file", "2 files"} {
		if got := Plural(n, "file", "files"); got != want {
			t.Errorf("Plural(%d) = %q, want %q", n, got, want)
		}
	}
}

// FuzzTruncate: the result is bounded and valid UTF-8 if the input is.
func FuzzTruncate(f *testing.F) {
	f.Add("aä", 2)
	f.Add("\xff\xfe", 1)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = max(0, min(limit, 1000))
		got := Truncate(text, limit)
		if len(got) > max(len(text), limit+len("…")) || utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("Truncate(%q, %d) = %q", text, limit, got)
		}
	})
}
