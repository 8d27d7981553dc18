package probe_test

import (
	"bytes"
	"compress/gzip"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/elf/elftest"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/lock"
	"github.com/pgext/pgext/internal/probe"
	"github.com/pgext/pgext/layout"
)

// files maps paths to contents. "lib/", "extension/" and "doc/" at the
// beginning of a path stand for the folders of PostgreSQL 18 and of the
// package's documentation.
type files map[string]string

// module returns an ELF file that holds texts as C strings.
func module(spec elftest.Spec, texts ...string) string {
	return string(elftest.Build(spec)) + "\x00" + strings.Join(texts, "\x00") + "\x00"
}

// zipped returns text as gzip does.
func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// pkg returns a package of the extension with files.
func pkg(t *testing.T, name string, content files) layout.Package {
	t.Helper()
	p := layout.Package{Name: name, Version: "1-1", Source: name, Arch: "amd64", Role: lock.Extension, Objects: map[string]elf.Object{}}
	var entries []filetree.Entry
	for _, short := range slices.Sorted(maps.Keys(content)) {
		full := strings.NewReplacer("lib/", "usr/lib/postgresql/18/lib/", "extension/", "usr/share/postgresql/18/extension/",
			"doc/", "usr/share/doc/"+name+"/").Replace(short)
		b := []byte(content[short])
		entries = append(entries, filetree.Entry{
			Path: full, Mode: 0o644, ModTime: time.Unix(1e9, 0).UTC(), Origin: filetree.Origin{Package: name, Path: full},
		}.Holding(b))
		if o, err := elf.Read(bytes.NewReader(b), int64(len(b))); err == nil {
			p.Objects[full] = o
		}
	}
	var err error
	if p.Tree, err = filetree.New(entries); err != nil {
		t.Fatal(err)
	}
	return p
}

// input arranges packages as one image for the default target.
func input(t *testing.T, name string, packages ...layout.Package) probe.Input {
	t.Helper()
	arranged, err := layout.Arrange(layout.Input{Name: name, Postgres: 18, Packages: packages})
	if err != nil {
		t.Fatal(err)
	}
	in := probe.Input{
		Name: name, Distro: "trixie", Postgres: 18, Archs: []string{"amd64", "arm64"},
		Members: packages, Arranged: arranged,
	}
	for _, p := range packages {
		in.Packages = append(in.Packages, p.Name)
	}
	if len(arranged.Extensions) == 1 {
		in.Create = []string{arranged.Extensions[0].Name}
	}
	return in
}

// sql returns the files of an extension; control is added to its control file.
func sql(name, control string) files {
	return files{
		"extension/" + name + ".control":  "default_version = '1'\n" + control,
		"extension/" + name + "--1.0.sql": "select 1;",
		"extension/" + name + "--1.sql":   "select 1;",
	}
}

// join merges files.
func join(all ...files) files {
	out := files{}
	for _, f := range all {
		maps.Copy(out, f)
	}
	return out
}
