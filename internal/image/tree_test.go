package image

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/cache/cachetest"
	"github.com/pgext/pgext/internal/filetree"
)

var (
	older = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	newer = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func file(path, content string, at time.Time) filetree.Entry {
	return filetree.Entry{Path: path, Kind: filetree.File, Mode: 0o644, ModTime: at}.Holding([]byte(content))
}

func program(path, content string, at time.Time) filetree.Entry {
	e := file(path, content, at)
	e.Mode = 0o4775
	return e
}

func link(path, target string, at time.Time) filetree.Entry {
	return filetree.Entry{Path: path, Kind: filetree.Symlink, Mode: 0o777, ModTime: at, Link: target}
}

func tree(tb testing.TB, all ...filetree.Entry) filetree.Tree {
	tb.Helper()
	out, err := filetree.New(all)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// vector is the extension's layer of the tests, libraries the one below it.
func vector(tb testing.TB) filetree.Tree {
	tb.Helper()
	return tree(tb,
		file("lib/vector.so", strings.Repeat("machine code ", 1000), newer),
		file("share/extension/vector.control", "default_version = '0.8.1'\n", older),
		file("share/extension/vector--0.8.1.sql", "CREATE FUNCTION x();\n", older),
		program("bin/tool", "#!/bin/sh\n", older),
		link("lib/vector-0.so", "vector.so", older),
		file("usr/lib/os-release", "ID=debian\n", time.Time{}),
	)
}

func libraries(tb testing.TB) filetree.Tree {
	tb.Helper()
	return tree(tb, file("system/libx.so.1", strings.Repeat("library ", 5000), older))
}

func newCache(tb testing.TB) *cache.Cache {
	tb.Helper()
	c := cachetest.Open(tb)
	return c
}

func layer(tb testing.TB, tree filetree.Tree, o LayerOptions) *Layer {
	tb.Helper()
	if o.Cache == nil {
		o.Cache = newCache(tb)
	}
	l, err := NewLayer(tb.Context(), tree, o)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func contents(tb testing.TB, open func() (io.ReadCloser, error)) string {
	tb.Helper()
	r, err := open()
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}
