package shown

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAddress(t *testing.T) {
	for _, tc := range []struct{ raw, shown, public string }{
		{"https://u:p@example.org:8443/a%2fb/c?x=y#z", "https://example.org:8443/a%2fb/c?…", "https://example.org:8443/a%2fb/c"},
		{"http://example.org/debian", "http://example.org/debian", "http://example.org/debian"},
		{"https://example.org/?", "https://example.org/", "https://example.org/"},
		{"HTTPS://example.org/#p", "https://example.org/", "https://example.org/"},
		{"https:secret", "https:", ""},
		{"https:///x", "https:///x", ""},
		{"file:///srv/mirror", "file:///srv/mirror", ""},
		{"", "", ""},
		{"http://u:p@ho st/", "(unreadable URL)", ""},
	} {
		if got := Address(tc.raw); got != tc.shown {
			t.Errorf("Address(%q) = %q, want %q", tc.raw, got, tc.shown)
		}
		if got := Public(tc.raw); got != tc.public {
			t.Errorf("Public(%q) = %q, want %q", tc.raw, got, tc.public)
		}
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		`Get "https://u:p@r.example/v2/?token=x": EOF`: `Get "https://r.example/v2/": EOF`,
		"http://a.example?x http://b@b.example/":       "http://a.example http://b.example/",
		"what? me@home":                                "what? me@home",
		"at https://u:p@p@r.example/a@b: EOF":          "at https://r.example/a@b: EOF",
		"http://a.example?x=b@c and http://a.b#d@e":    "http://a.example and http://a.b#d@e",
	} {
		if got := Text(text); got != want {
			t.Errorf("Text(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestCut(t *testing.T) {
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
		if got := Cut(tc.text, tc.limit); got != tc.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", tc.text, tc.limit, got, tc.want)
		}
	}
	if got, want := Line(" a\n\t b\r\nc d", 5), "a b c…"; got != want {
		t.Errorf("Line() = %q, want %q", got, want)
	}
}

func TestWords(t *testing.T) {
	for want, names := range map[string][]string{"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"}} {
		if got := List(names); got != want {
			t.Errorf("List(%q) = %q, want %q", names, got, want)
		}
	}
	for n, want := range []string{"0 files", "1 file", "2 files"} {
		if got := Count(n, "file", "files"); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

// FuzzShown: no text makes it fail, and none with a password in a URL shows it.
func FuzzShown(f *testing.F) {
	f.Add("https://u:p@example.org/?q#f", 3)
	f.Add("http://[::1]:80/%zz", 0)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = max(0, min(limit, 1000))
		if got := Cut(text, limit); len(got) > max(len(text), limit+len("…")) || utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("Cut(%q, %d) = %q", text, limit, got)
		}
		const password = "hunter2"
		if strings.ContainsAny(text, "/\\ \t\f\r\n\"@?#:%[]<>^`{|}") || strings.Contains(text, password) {
			return
		}
		raw := "https://" + text + ":" + password + "@example.org/x?" + password + "#" + password
		for _, got := range []string{Address(raw), Public(raw), Text(raw)} {
			if strings.Contains(got, password) {
				t.Errorf("%q is shown as %q", raw, got)
			}
		}
	})
}
