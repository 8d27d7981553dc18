package main

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
)

// branch is a folder or file of a tree that is printed; size is the sum over
// all that is below it.
type branch struct {
	entry    filetree.Entry
	name     string
	size     int64
	children []*branch
}

// writeTree prints every path with its size, folders with what is in them,
// in path order or the largest first.
func writeTree(b *strings.Builder, tree filetree.Tree, bySize bool) {
	root := &branch{}
	byPath := map[string]*branch{".": root}
	for e := range tree.All() {
		folderOf(byPath, e.Path).add(byPath, e)
	}
	root.sum()
	root.sort(bySize)
	for _, c := range root.children {
		c.write(b, 1)
	}
}

// folderOf returns the folder that a path is in; folders that no entry names
// are made.
func folderOf(byPath map[string]*branch, p string) *branch {
	dir := path.Dir(p)
	if known, ok := byPath[dir]; ok {
		return known
	}
	folderOf(byPath, dir).add(byPath, filetree.Entry{Path: dir, Kind: filetree.Dir})
	return byPath[dir]
}

func (f *branch) add(byPath map[string]*branch, e filetree.Entry) {
	c := &branch{entry: e, name: path.Base(e.Path), size: e.Size}
	f.children = append(f.children, c)
	byPath[e.Path] = c
}

func (f *branch) sum() int64 {
	for _, c := range f.children {
		f.size += c.sum()
	}
	return f.size
}

func (f *branch) sort(bySize bool) {
	slices.SortStableFunc(f.children, func(x, y *branch) int {
		if bySize && x.size != y.size {
			return cmp.Compare(y.size, x.size)
		}
		return strings.Compare(x.name, y.name)
	})
	for _, c := range f.children {
		c.sort(bySize)
	}
}

func (f *branch) write(b *strings.Builder, depth int) {
	linef(b, "  %10s%s%s", byteCount(f.size), strings.Repeat("  ", depth), f.name)
	switch f.entry.Kind {
	case filetree.Dir:
		b.WriteString("/")
	case filetree.Symlink:
		linef(b, " -> %s", f.entry.Link)
	case filetree.File:
	}
	b.WriteString("\n")
	for _, c := range f.children {
		c.write(b, depth+1)
	}
}
