package image

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	c := newCache(t)
	l := At(t.TempDir())
	if _, err := l.Find(""); err == nil || err.Error() != "reading layout "+l.Dir()+": it is no OCI image layout" {
		t.Errorf("Find() in an empty folder: %v", err)
	}
	first, second := buildIndex(t, c, "amd64", "arm64"), buildIndex(t, c, "arm64")
	write(t, l, Output{Index: first, Tags: []string{"a", "b"}})
	child := digestOf(t, build(t, c, "arm64"))
	for _, ref := range []string{"", "a", "b", digestOf(t, first).String()} {
		if d, err := l.Find(ref); err != nil || d.Digest != digestOf(t, first) {
			t.Errorf("Find(%q) = %v, %v", ref, d.Digest, err)
		}
	}
	a, err := l.Open(child.String())
	if err != nil || a.Digest != child || a.Index != nil || len(a.Images) != 1 {
		t.Errorf("Open(%v) = %+v, %v", child, a, err)
	}
	write(t, l, Output{Index: second, Tags: []string{"c"}})
	for ref, want := range map[string]string{
		"":  "layout " + l.Dir() + ": which of 3 tags?",
		"d": "layout " + l.Dir() + `: no "d"`,
	} {
		_, err := l.Find(ref)
		var missing *MissingError
		if !errors.As(err, &missing) || err.Error() != want || missing.Hint() != `it has ["a" "b" "c"]` {
			t.Errorf("Find(%q) error = %v, want %s", ref, err, want)
		}
	}
}

func TestParseRef(t *testing.T) {
	dir := t.TempDir()
	write(t, At(Path(dir, "x")), Output{Index: buildIndex(t, newCache(t), "amd64"), Tags: []string{"a"}})
	layout := filepath.Join(dir, "x", "oci")
	sum := "sha256:" + strings.Repeat("a", 64)
	for _, tc := range []struct {
		in   string
		want Ref
		ok   bool
	}{
		{layout, Ref{layout, ""}, true},
		{filepath.Join(dir, "x"), Ref{layout, ""}, true},
		{"oci:" + layout, Ref{layout, ""}, true},
		{"oci:" + layout + ":a", Ref{layout, "a"}, true},
		{"oci:" + filepath.Join(dir, "x") + ":a", Ref{layout, "a"}, true},
		{"oci:" + layout + "@" + sum, Ref{layout, sum}, true},
		{"oci:" + layout + ":a@" + sum, Ref{layout, sum}, true},
		{"oci:/gone:a", Ref{"/gone", "a"}, true},
		{"oci:/go:ne/x", Ref{"/go:ne/x", ""}, true},
		{"ghcr.io/x/y:1", Ref{"", ""}, false},
		{"oci:", Ref{}, false},
	} {
		got, ok := ParseRef(tc.in)
		if ok != tc.ok || ok && got != tc.want {
			t.Errorf("ParseRef(%q) = %+v, %v; want %+v, %v", tc.in, got, ok, tc.want, tc.ok)
		}
	}
}
