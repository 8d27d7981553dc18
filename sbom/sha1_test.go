package sbom_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/cache/cachetest"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/sbom"
)

// counted is a Content that counts calls of Open.
type counted struct {
	filetree.Content
	opened *atomic.Int32
}

func (c counted) Open() (io.ReadCloser, error) {
	c.opened.Add(1)
	return c.Content.Open()
}

// broken is a Content with a read error.
type broken struct{ filetree.Content }

func (broken) Open() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(strings.NewReader("ab"), failing{})), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

func tree(t *testing.T, entries ...filetree.Entry) filetree.Tree {
	t.Helper()
	out, err := filetree.New(entries)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func file(path, text string) filetree.Entry {
	return filetree.Entry{Path: path, Kind: filetree.File, Mode: 0o644}.Holding([]byte(text))
}

func TestSHA1(t *testing.T) {
	var opened atomic.Int32
	entries := []filetree.Entry{file("lib/a", "abc"), file("lib/b", ""), file("lib/c", "abc"), {Path: "lib/d", Kind: filetree.Symlink, Link: "a"}}
	for i, e := range entries {
		if e.Content != nil {
			entries[i].Content = counted{e.Content, &opened}
		}
	}
	layer := tree(t, entries...)
	o := sbom.SHA1Options{Cache: cachetest.Open(t)}
	want := map[string]string{ // the digests of FIPS 180 for these texts
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad": "a9993e364706816aba3e25717850c26c9cd0d89d",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
	}
	for _, time := range []string{"first", "second"} {
		got, err := sbom.SHA1(t.Context(), layer, o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the %s time (-want +got):\n%s", time, diff)
		}
	}
	if n := opened.Load(); n != 2 {
		t.Errorf("%d files were opened, want each content once", n)
	}
}

func TestSHA1Fails(t *testing.T) {
	gone, stopped := context.WithCancel(t.Context())
	stopped()
	bad := file("lib/bad", "abc")
	bad.Content = broken{bad.Content}
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		entry filetree.Entry
		want  string
	}{
		{"content that breaks off", t.Context(), bad, "reading lib/bad: input/output error"},
		{"a context that has ended", gone, file("lib/a", "abc"), "context canceled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := sbom.SHA1(tt.ctx, tree(t, tt.entry), sbom.SHA1Options{Cache: cachetest.Open(t)})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v; want an error with %q", got, err, tt.want)
			}
		})
	}
}
