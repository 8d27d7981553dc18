package image

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/filetree"
)

var (
	older = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	newer = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func file(path, content string, at time.Time) filetree.Entry {
	sum := sha256.Sum256([]byte(content))
	return filetree.Entry{
		Path: path, Kind: filetree.File, Mode: 0o644, ModTime: at,
		Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Content: filetree.Bytes([]byte(content)),
	}
}

func program(path, content string, at time.Time) filetree.Entry {
	e := file(path, content, at)
	e.Mode = 0o4775
	return e
}

func link(path, target string, at time.Time) filetree.Entry {
	return filetree.Entry{Path: path, Kind: filetree.Symlink, Mode: 0o777, ModTime: at, Link: target}
}

func tree(t testing.TB, all ...filetree.Entry) filetree.Tree {
	t.Helper()
	out, err := filetree.New(all)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// vector is the extension's layer of the tests, libraries the one below it.
func vector(t testing.TB) filetree.Tree {
	t.Helper()
	return tree(t,
		file("lib/vector.so", strings.Repeat("machine code ", 1000), newer),
		file("share/extension/vector.control", "default_version = '0.8.1'\n", older),
		file("share/extension/vector--0.8.1.sql", "CREATE FUNCTION x();\n", older),
		program("bin/tool", "#!/bin/sh\n", older),
		link("lib/vector-0.so", "vector.so", older),
		file("usr/lib/os-release", "ID=debian\n", time.Time{}),
	)
}

func libraries(t testing.TB) filetree.Tree {
	t.Helper()
	return tree(t, file("system/libx.so.1", strings.Repeat("library ", 5000), older))
}

func newCache(t testing.TB) *cache.Cache {
	t.Helper()
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func layer(t testing.TB, tree filetree.Tree, o LayerOptions) *Layer {
	t.Helper()
	if o.Cache == nil {
		o.Cache = newCache(t)
	}
	l, err := NewLayer(t.Context(), tree, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func contents(t testing.TB, open func() (io.ReadCloser, error)) string {
	t.Helper()
	r, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
