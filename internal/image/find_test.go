package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/oci"
	"github.com/pgext/pgext/internal/oracle"
)

func TestFind(t *testing.T) {
	c := newCache(t)
	l := At(t.TempDir())
	if _, err := l.Find(""); err == nil || err.Error() != "reading layout "+l.Dir()+": not an OCI image layout" {
		t.Errorf("Find() in an empty folder: %v", err)
	}
	first, second := buildIndex(t, c, "amd64", "arm64"), buildIndex(t, c, "arm64")
	write(t, l, Output{Set: oci.Set{Index: first}, Tags: []string{"a", "b"}})
	child := digestOf(t, build(t, c, "arm64"))
	for _, ref := range []string{"", "a", "b", digestOf(t, first).String()} {
		if d, err := l.Find(ref); err != nil || d.Digest != digestOf(t, first) {
			t.Errorf("Find(%q) = %v, %v", ref, d.Digest, err)
		}
	}
	s, err := l.Open(child.String())
	if err != nil || s.Digest != child || s.Index != nil || len(s.Images) != 1 {
		t.Errorf("Open(%v) = %+v, %v", child, s, err)
	}
	write(t, l, Output{Set: oci.Set{Index: second}, Tags: []string{"c"}})
	list := "name one of these: "
	for i, tag := range []string{"a", "b", "c"} {
		list += []string{"", ", "}[min(i, 1)] + "oci:" + l.Dir() + ":" + tag
	}
	for ref, want := range map[string]string{
		"":  l.Dir() + ": 3 images, want one",
		"d": l.Dir() + `: no image "d"`,
	} {
		_, err := l.Find(ref)
		hint := ""
		if e, ok := err.(*failure.Error); ok { //nolint:errorlint // the error itself is under test
			hint = e.Hint()
		}
		if err == nil || err.Error() != want || hint != list {
			t.Errorf("Find(%q) error = %v, hint %q; want %s, %q", ref, err, hint, want, list)
		}
	}
}

// pack writes the files of a folder to a tar archive.
func pack(tb testing.TB, dir, archive string, change func(*tar.Header)) {
	tb.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		h := &tar.Header{Name: "./" + filepath.ToSlash(name), Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))}
		if change != nil {
			change(h)
		}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		_, err = tw.Write(content)
		return err
	})
	if err == nil {
		err = tw.Close()
	}
	if err == nil {
		err = os.WriteFile(archive, buf.Bytes(), 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// TestArchive reads a layout in a tar archive in place, with everything attached.
func TestArchive(t *testing.T) {
	l := At(filepath.Join(t.TempDir(), "layout"))
	idx := buildIndex(t, newCache(t), "amd64", "arm64")
	write(t, l, Output{Set: oci.Set{Index: idx, Referrers: []v1.Image{referrer(t, idx, "application/spdx+json", "{}")}}, Tags: []string{"a"}})
	archive := filepath.Join(t.TempDir(), "image.tar")
	pack(t, l.Dir(), archive, nil)
	s, err := At(archive).Collect("")
	if err != nil || s.Digest != digestOf(t, idx) || len(s.Referrers) != 1 || len(s.Images) != 2 {
		t.Fatalf("Collect() = %+v, %v", s, err)
	}
	if err := validate.Index(s.Index); err != nil {
		t.Error(err)
	}
	to := At(filepath.Join(t.TempDir(), "copy"))
	write(t, to, Output{Set: s, Tags: []string{"a"}})
	if diff := cmp.Diff(keys(state(t, to.Dir())), keys(state(t, l.Dir()))); diff != "" {
		t.Errorf("files (-copy +original):\n%s", diff)
	}
	if err := At(archive).Write(t.Context(), Output{Set: oci.Set{Index: idx}, Tags: []string{"b"}}); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("Write() to an archive = %v", err)
	}
}

// TestArchiveOfSkopeo reads an archive that skopeo wrote.
func TestArchiveOfSkopeo(t *testing.T) {
	skopeo := oracle.Need(t, "skopeo")
	l := At(filepath.Join(t.TempDir(), "layout"))
	idx := buildIndex(t, newCache(t), "amd64", "arm64")
	write(t, l, Output{Set: oci.Set{Index: idx}, Tags: []string{"a"}})
	archive := filepath.Join(t.TempDir(), "image.tar")
	if out, err := exec.CommandContext(t.Context(), skopeo, "--insecure-policy", "copy", "--all", "oci:"+l.Dir()+":a", "oci-archive:"+archive+":b").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s, err := At(archive).Open("b")
	if err != nil || s.Digest != digestOf(t, idx) {
		t.Fatalf("Open() = %v, %v; want %v", s.Digest, err, digestOf(t, idx))
	}
	if err := validate.Index(s.Index); err != nil {
		t.Error(err)
	}
}

// TestBadArchive: archives that are refused, with the reason.
func TestBadArchive(t *testing.T) {
	l := At(filepath.Join(t.TempDir(), "layout"))
	write(t, l, Output{Set: oci.Set{Index: buildIndex(t, newCache(t), "amd64")}, Tags: []string{"a"}})
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var compressed bytes.Buffer
	zw := gzip.NewWriter(&compressed)
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	renamed, twice := filepath.Join(dir, "renamed.tar"), filepath.Join(dir, "twice.tar")
	pack(t, l.Dir(), renamed, func(h *tar.Header) { h.Name = strings.Replace(h.Name, "oci-layout", "manifest.json", 1) })
	pack(t, l.Dir(), twice, func(h *tar.Header) { h.Name = strings.Replace(h.Name, "oci-layout", "index.json", 1) })
	whole, err := os.ReadFile(renamed)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file("text", []byte("image: x")):     "neither an OCI image layout nor a tar archive",
		file("gzip.tar", compressed.Bytes()): "is compressed (gzip)",
		renamed:                              "no oci-layout in it",
		twice:                                "two members named index.json",
		file("cut.tar", whole[:len(whole)/2&^511+1]): "unexpected EOF",
	} {
		if _, err := At(path).Find(""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Find() = %v, want %q", filepath.Base(path), err, want)
		}
	}
	damaged := filepath.Join(dir, "damaged.tar")
	pack(t, l.Dir(), damaged, nil)
	content, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Open("")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.Images[0].RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(content, raw)
	content[i+len(raw)-3] ^= 1
	if err := os.WriteFile(damaged, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := At(damaged).Open(""); err == nil || !strings.Contains(err.Error(), "digest mismatch") {
		t.Errorf("Open() of a damaged archive = %v", err)
	}
}
