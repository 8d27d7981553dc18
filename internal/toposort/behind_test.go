package toposort

import (
	"strings"
	"testing"
)

func TestBehind(t *testing.T) {
	for _, tc := range []struct {
		name, items string
		needs       map[string]string
		want        string
	}{
		{"nothing", "", nil, ""},
		{"their own order", "b a c", nil, "b a c"},
		{"needed first", "c b a", map[string]string{"c": "b", "b": "a"}, "a b c"},
		{"in the order of the needs", "a b c", map[string]string{"a": "c b"}, "c b a"},
		{"no item itself", "a", map[string]string{"a": "x", "x": "y"}, "y x a"},
		{"needed twice", "a b", map[string]string{"a": "x", "b": "x"}, "x a b"},
		{"given twice", "a b a", nil, "a b"},
		{"itself", "a", map[string]string{"a": "a"}, "a"},
		{"a cycle", "a b", map[string]string{"a": "b", "b": "a"}, "b a"},
		{"a cycle from elsewhere", "c a", map[string]string{"a": "b", "b": "a", "c": "b"}, "a b c"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Behind(strings.Fields(tc.items), func(s string) string { return s }, func(s string) []string { return strings.Fields(tc.needs[s]) })
			if text := strings.Join(got, " "); text != tc.want {
				t.Errorf("Behind() = %q, want %q", text, tc.want)
			}
		})
	}
}
