package text

import (
	"strings"
	"testing"
)

func TestEditDistance(t *testing.T) {
	var d EditDistance
	for _, tc := range []struct {
		a, b  string
		limit int
		want  int
	}{
		{"", "", 3, 0},
		{"", "abc", 3, 3},
		{"abc", "", 3, 3},
		{"abc", "acb", 3, 1},
		{"source", "suorce", 3, 1},
		{"kitten", "sitting", 3, 3},
		{"kitten", "sitting", 2, 3},
		{"abcdefgh", "zzzzzzzz", 2, 3},
		{"ab", "ba", 0, 1},
		{"xab", "xba", 1, 1},
	} {
		if got := d.Between(tc.a, tc.b, tc.limit); got != tc.want {
			t.Errorf("Between(%q, %q, %d) = %d, want %d", tc.a, tc.b, tc.limit, got, tc.want)
		}
	}
}

// FuzzEditDistance: a limit changes no distance within it, and the distance is
// symmetric.
func FuzzEditDistance(f *testing.F) {
	f.Add("abcd", "badc", 2)
	f.Fuzz(func(t *testing.T, a, b string, limit int) {
		if len(a) > maxWord || len(b) > maxWord {
			return
		}
		limit = max(0, min(limit, maxWord))
		var d EditDistance
		whole := d.Between(a, b, 2*maxWord)
		if got, want := d.Between(a, b, limit), min(whole, limit+1); got != want {
			t.Errorf("Between(%q, %q, %d) = %d, want %d", a, b, limit, got, want)
		}
		if got := d.Between(b, a, 2*maxWord); got != whole {
			t.Errorf("Between(%q, %q) = %d, reversed %d", a, b, whole, got)
		}
	})
}

func TestNearest(t *testing.T) {
	long := strings.Repeat("x", maxWord+1)
	if got := Nearest(long, []string{long}); got != "" {
		t.Errorf("Nearest of %d letters = %q, want no comparison", len(long), got)
	}
	if got := Nearest("x", []string{long}); got != "" {
		t.Errorf("Nearest(x) = %q, want no comparison", got)
	}
	words := []string{"postgres", "packages", "source"}
	for word, want := range map[string]string{"POSTGRE": "postgres", "sauce": "source", "package": "packages", "zzzz": "", "": ""} {
		if got := Nearest(word, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
