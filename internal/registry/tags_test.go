package registry

import (
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for ref, want := range map[string][2]string{
		"registry.example.com/a/b":             {"registry.example.com/a/b", ""},
		"registry.example.com:5000/a":          {"registry.example.com:5000/a", ""},
		"registry.example.com:5000/a:1.0":      {"registry.example.com:5000/a", ":1.0"},
		"registry.example.com/a@sha256:00":     {"registry.example.com/a", "@sha256:00"},
		"registry.example.com/a:1.0@sha256:00": {"registry.example.com/a", ":1.0@sha256:00"},
	} {
		repo, rest := Split(ref)
		if got := [2]string{repo, rest}; got != want {
			t.Errorf("Split(%q) = %q, want %q", ref, got, want)
		}
	}
}

func TestReference(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	for name, want := range map[string]string{
		"1.0":      "registry.example.com/a:1.0",
		digest:     "registry.example.com/a@" + digest,
		"sha256-0": "registry.example.com/a:sha256-0",
	} {
		if got := Reference("registry.example.com/a", name); got != want {
			t.Errorf("Reference(%q) = %q, want %q", name, got, want)
		}
	}
}
