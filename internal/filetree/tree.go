package filetree

import (
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"time"
)

// Tree is an immutable set of entries with unique paths, sorted by path. The
// zero Tree is empty.
type Tree struct {
	entries []Entry
}

// New returns the tree of entries, which it copies and sorts. Invalid and
// duplicate paths are errors.
func New(entries []Entry) (Tree, error) {
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	for i, e := range sorted {
		if e.Path == "." || !fs.ValidPath(e.Path) {
			return Tree{}, fmt.Errorf("invalid path %q", e.Path)
		}
		if i > 0 && sorted[i-1].Path == e.Path {
			return Tree{}, fmt.Errorf("duplicate path %q", e.Path)
		}
	}
	return Tree{sorted}, nil
}

// Len returns the number of entries.
func (t Tree) Len() int { return len(t.entries) }

// All iterates over the entries in path order.
func (t Tree) All() iter.Seq[Entry] { return slices.Values(t.entries) }

// Get returns the entry at path.
func (t Tree) Get(path string) (Entry, bool) {
	i, ok := slices.BinarySearchFunc(t.entries, path, func(e Entry, p string) int {
		return strings.Compare(e.Path, p)
	})
	if !ok {
		return Entry{}, false
	}
	return t.entries[i], true
}

// Filter returns the tree of the entries for which keep returns true.
func (t Tree) Filter(keep func(Entry) bool) Tree {
	var out []Entry
	for _, e := range t.entries {
		if keep(e) {
			out = append(out, e)
		}
	}
	return Tree{out}
}

// Under returns the entries below dir without dir itself. Paths stay relative to
// the root of t.
func (t Tree) Under(dir string) Tree {
	prefix := dir + "/"
	return t.Filter(func(e Entry) bool { return strings.HasPrefix(e.Path, prefix) })
}

// maxLinks bounds how many symlinks Resolve follows, as Linux does (ELOOP).
const maxLinks = 40

// Resolve follows symlinks in every component of name, like a kernel whose root
// directory is the tree: absolute targets start at the root and ".." never leaves
// it. It returns false for a dangling link, a loop, or a name that is not in the
// tree.
func (t Tree) Resolve(name string) (Entry, bool) {
	links := 0
	done, rest := "", strings.Split(path.Clean(name), "/")
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			done = path.Dir("/" + done)[1:]
			continue
		}
		next := path.Join(done, part)
		e, ok := t.Get(next)
		if !ok || e.Kind != Symlink {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return Entry{}, false
		}
		if path.IsAbs(e.Link) {
			done = ""
		}
		rest = append(strings.Split(e.Link, "/"), rest...)
	}
	return t.Get(done)
}

// Newest returns the latest ModTime of the tree's files, the zero time if it has
// no files.
func (t Tree) Newest() time.Time {
	var newest time.Time
	for _, e := range t.entries {
		if e.Kind == File && e.ModTime.After(newest) {
			newest = e.ModTime
		}
	}
	return newest
}

// Size returns the sum of the file sizes in bytes.
func (t Tree) Size() int64 {
	var n int64
	for _, e := range t.entries {
		n += e.Size
	}
	return n
}

// Dump returns the tree as text for golden tests, one line per entry: kind,
// octal mode, modification time, size, first 12 digits of the digest, path and
// link target.
func (t Tree) Dump() string {
	var b strings.Builder
	for _, e := range t.entries {
		digest := "-"
		if e.Kind == File {
			digest = e.SHA256[:min(12, len(e.SHA256))]
		}
		fmt.Fprintf(&b, "%s %04o %s %d %s %s", e.Kind, e.Mode.Perm(), e.ModTime.UTC().Format(time.RFC3339), e.Size, digest, e.Path)
		if e.Kind == Symlink {
			fmt.Fprintf(&b, " -> %s", e.Link)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
