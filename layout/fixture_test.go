package layout

import (
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/finding"
	"github.com/pgext/pgext/internal/lock"
)

// march is the modification time of all fixture files.
var march = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// elfMagic is the part of an ELF file that layout reads.
const elfMagic = "\x7fELF"

// Debian's directories.
const (
	ext = "usr/share/postgresql/18/extension/"
	mod = "usr/lib/postgresql/18/lib/"
)

// pack returns a package with a copyright file. Each file is "path", "path =
// content" or "path -> target".
func pack(t *testing.T, name string, role lock.Role, files ...string) Package {
	t.Helper()
	at := "usr/share/doc/" + name + "/copyright = "
	for _, f := range files {
		if strings.HasPrefix(f, at) {
			return bare(t, name, role, files...)
		}
	}
	return bare(t, name, role, append(files, at+name+"'s licence")...)
}

// dep5 is a machine-readable copyright file.
func dep5(license string) string {
	return "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: A\nLicense: " + license + "\n"
}

// bare returns a package without a copyright file, see pack.
func bare(t *testing.T, name string, role lock.Role, files ...string) Package {
	t.Helper()
	p := Package{Name: name, Version: "1.0-1", Source: name, Arch: "amd64", Role: role, Objects: map[string]elf.Object{}}
	var entries []filetree.Entry
	for _, f := range files {
		e := filetree.Entry{Path: f, Mode: 0o640, ModTime: march, Origin: filetree.Origin{Package: name, Path: f}}
		content := f
		if at, target, ok := strings.Cut(f, " -> "); ok {
			e.Path, e.Kind, e.Link = at, filetree.Symlink, target
		} else if at, text, ok := strings.Cut(f, " = "); ok {
			e.Path, content = at, text
		}
		if e.Kind == filetree.File {
			e = e.Holding([]byte(content))
		}
		if strings.HasPrefix(content, elfMagic) {
			p.Objects[e.Path] = elf.Object{Type: "dyn"}
		}
		entries = append(entries, e)
	}
	dirs := map[string]bool{}
	for _, e := range entries {
		for d := path.Dir(e.Path); d != "." && !dirs[d]; d = path.Dir(d) {
			dirs[d] = true
			entries = append(entries, filetree.Entry{Path: d, Kind: filetree.Dir, Mode: 0o755, ModTime: march})
		}
	}
	tree, err := filetree.New(entries)
	if err != nil {
		t.Fatal(err)
	}
	p.Tree = tree
	return p
}

// arrange arranges packages for PostgreSQL 18 on a base that has /bin/sh.
func arrange(t *testing.T, in Input) Result {
	t.Helper()
	in.Name, in.Postgres = "x", 18
	in.Interpreter = func(line string) bool { return line == "/bin/sh" || line == "/bin/sh -e" }
	r, err := Arrange(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// withoutDatabase removes the package database, which TestDatabase checks.
func withoutDatabase(tree filetree.Tree) filetree.Tree {
	return tree.Filter(func(e filetree.Entry) bool { return !strings.HasPrefix(e.Path+"/", "var/") })
}

// listing returns a tree as text: mode, path and target of files and links, without
// the package database.
func listing(trees ...filetree.Tree) []string {
	var lines []string
	for _, tree := range trees {
		for e := range withoutDatabase(tree).All() {
			switch e.Kind {
			case filetree.File:
				lines = append(lines, fmt.Sprintf("%o %s", e.Mode, e.Path))
			case filetree.Symlink:
				lines = append(lines, e.Path+" -> "+e.Link)
			}
		}
	}
	return lines
}

func texts(fs []finding.Finding) []string {
	var lines []string
	for _, f := range fs {
		lines = append(lines, f.String())
	}
	return lines
}

func content(t *testing.T, tree filetree.Tree, at string) string {
	t.Helper()
	e, ok := tree.Resolve(at)
	if !ok {
		t.Fatalf("the image has no %s", at)
	}
	b, err := e.ReadAll(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// reportsOf returns the reports about the file at path to of the image.
func reportsOf(r Report, to string) []FileReport {
	var out []FileReport
	for _, p := range r.Packages {
		for _, f := range p.Files {
			if f.To == to {
				out = append(out, f)
			}
		}
	}
	return out
}
