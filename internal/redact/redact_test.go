package redact

import (
	"strings"
	"testing"
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

// FuzzRedact: no password in a URL survives.
func FuzzRedact(f *testing.F) {
	f.Add("u")
	f.Add("example")
	f.Fuzz(func(t *testing.T, user string) {
		const password = "hunter2"
		if strings.ContainsAny(user, "/\\ \t\f\r\n\"@?#:%[]<>^`{|}") || strings.Contains(user, password) {
			return
		}
		raw := "https://" + user + ":" + password + "@example.org/x?" + password + "#" + password
		for _, got := range []string{Address(raw), Public(raw), Text(raw)} {
			if strings.Contains(got, password) {
				t.Errorf("%q is redacted to %q", raw, got)
			}
		}
	})
}
