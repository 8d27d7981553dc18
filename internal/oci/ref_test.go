package oci

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newLayout makes a folder that looks like a layout.
func newLayout(tb testing.TB, dir string) string {
	tb.Helper()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "oci-layout"), []byte("{}"), 0o600); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func TestParseRef(t *testing.T) {
	dir := t.TempDir()
	layout := newLayout(t, filepath.Join(dir, "x", "oci"))
	archive, recipe := filepath.Join(dir, "x.tar"), filepath.Join(dir, "recipe.yaml")
	for path, content := range map[string]string{archive: strings.Repeat("\x00", 257) + "ustar", recipe: "image: x"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sum := "sha256:" + strings.Repeat("a", 64)
	for _, tc := range []struct {
		in   string
		want Ref
		err  string
	}{
		{layout, Ref{Layout: layout}, ""},
		{dir, Ref{Layout: dir}, ""},
		{archive, Ref{Layout: archive}, ""},
		{"oci:" + archive + ":a", Ref{Layout: archive, Tag: "a"}, ""},
		{filepath.Join(dir, "x"), Ref{Layout: layout}, ""},
		{"oci:" + layout, Ref{Layout: layout}, ""},
		{"oci:" + layout + ":a", Ref{Layout: layout, Tag: "a"}, ""},
		{"oci:" + filepath.Join(dir, "x") + ":a", Ref{Layout: layout, Tag: "a"}, ""},
		{"oci:" + layout + "@" + sum, Ref{Layout: layout, Digest: sum}, ""},
		{"oci:" + layout + ":a@" + sum, Ref{Layout: layout, Tag: "a", Digest: sum}, ""},
		{"oci:/gone:a", Ref{Layout: "/gone", Tag: "a"}, ""},
		{"oci:/go:ne/x", Ref{Layout: "/go:ne/x"}, ""},
		{"ghcr.io/x/y", Ref{Repository: "ghcr.io/x/y"}, ""},
		{"ghcr.io/x/y:1", Ref{Repository: "ghcr.io/x/y", Tag: "1"}, ""},
		{"localhost:5000/x@" + sum, Ref{Repository: "localhost:5000/x", Digest: sum}, ""},
		{"127.0.0.1:5000/x:1@" + sum, Ref{Repository: "127.0.0.1:5000/x", Tag: "1", Digest: sum}, ""},
		{"[::1]:5000/x:1", Ref{Repository: "[::1]:5000/x", Tag: "1"}, ""},
		{"ghcr.io/x/y:-", Ref{}, `invalid tag "-"`},
		{"ghcr.io/x/y@sha256:1", Ref{}, `invalid digest "sha256:1"`},
		{"ghcr.io/x/Y:1", Ref{}, "is not a repository"},
		{recipe, Ref{}, "is not an OCI image layout"},
		{"oci:", Ref{}, "no such file or folder"},
		{"dist/nothing", Ref{}, "no such file or folder"},
	} {
		got, err := ParseRef(tc.in)
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("ParseRef(%q) = %+v, %v; want error %q", tc.in, got, err, tc.err)
			}
			continue
		}
		if err != nil || got != tc.want {
			t.Errorf("ParseRef(%q) = %+v, %v; want %+v", tc.in, got, err, tc.want)
		}
		if again, err := ParseRef(got.String()); err != nil || again != got {
			t.Errorf("ParseRef(%q) of String() = %+v, %v; want %+v", got, again, err, got)
		}
	}
}

func TestIdentifier(t *testing.T) {
	sum := "sha256:" + strings.Repeat("a", 64)
	for _, tc := range []struct {
		ref  Ref
		want string
	}{
		{Ref{Layout: "x"}, ""},
		{Ref{Layout: "x", Tag: "t"}, "t"},
		{Ref{Repository: "h.io/x"}, "latest"},
		{Ref{Repository: "h.io/x", Tag: "t"}, "t"},
		{Ref{Repository: "h.io/x", Tag: "t", Digest: sum}, sum},
	} {
		if got := tc.ref.Identifier(); got != tc.want {
			t.Errorf("%v: Identifier() = %q, want %q", tc.ref, got, tc.want)
		}
	}
	r := Ref{Repository: "h.io/x", Tag: "t"}
	if got, want := r.With(sum).String()+" "+r.With("u").String(), "h.io/x@"+sum+" h.io/x:u"; got != want {
		t.Errorf("With() = %q, want %q", got, want)
	}
}

// TestLayouts: the layouts of an output folder, also behind a link to it.
func TestLayouts(t *testing.T) {
	dir := t.TempDir()
	newLayout(t, filepath.Join(dir, "b", "oci"))
	newLayout(t, filepath.Join(dir, "a", "c", "oci"))
	newLayout(t, filepath.Join(dir, "not-named-oci"))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{dir, link} {
		got, err := Layouts(root)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{filepath.Join(root, "a", "c", "oci"), filepath.Join(root, "b", "oci")}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("Layouts(%s) (-got +want):\n%s", root, diff)
		}
	}
	if _, err := Layouts(filepath.Join(dir, "gone")); err == nil {
		t.Error("Layouts() of a folder that does not exist succeeds")
	}
}

// TestNotOne: the hint lists references that can be pasted, at most ten.
func TestNotOne(t *testing.T) {
	refs := []Ref{{Layout: "d", Tag: "a"}, {Layout: "d", Tag: "b"}}
	for _, tc := range []struct {
		id         string
		refs       []Ref
		text, hint string
	}{
		{"", refs, "d: 2 images, want one", "name one of these: oci:d:a, oci:d:b"},
		{"c", refs, `d: no image "c"`, "name one of these: oci:d:a, oci:d:b"},
		{"", nil, "d: no images", "build or copy an image into it first"},
		{"", make([]Ref, 11), "d: 11 images, want one", "name one of these: " + strings.Repeat(", ", 10) + "…"},
	} {
		err := NotOne("d", tc.id, tc.refs)
		hint := err.(interface{ Hint() string }).Hint()
		if err.Error() != tc.text || hint != tc.hint {
			t.Errorf("NotOne(%q, %d) = %q, hint %q; want %q, %q", tc.id, len(tc.refs), err, hint, tc.text, tc.hint)
		}
	}
}

func TestCheckRepository(t *testing.T) {
	for _, tc := range []struct{ name, repo, want string }{
		{"host and path", "registry.example.com/extensions", ""},
		{"port", "127.0.0.1:5000/x/", ""},
		{"scheme", "https://registry.example.com/x", `"https://registry.example.com/x" is not a repository: it has a scheme`},
		{"spaces", "not a repo!", `"not a repo!" is not a repository: `},
		{"capitals", "registry.example.com/Ext", `"registry.example.com/Ext" is not a repository: `},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := CheckRepository(tc.repo)
			if (err == nil) != (tc.want == "") || err != nil && !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("CheckRepository(%q) = %v, want %q", tc.repo, err, tc.want)
			}
		})
	}
}
