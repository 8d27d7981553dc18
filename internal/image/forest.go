package image

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
)

const (
	whiteoutPrefix = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
	// maxLinks bounds the links in one path (Linux: ELOOP).
	maxLinks = 40
	// maxPart is NAME_MAX of Linux, in bytes.
	maxPart = 255
	// maxDepth bounds the nesting of directories.
	maxDepth = 256
	// maxPaths bounds the size of all paths together, in bytes.
	maxPaths = 256 << 20
)

// forest is the file tree of the layers read so far.
type forest struct {
	root  *node
	limit int
	// free is the number of parent directories without an entry that may still
	// be added.
	free int
}

func newForest(limit int) *forest {
	return &forest{root: &node{entry: filetree.Entry{Kind: filetree.Dir}, layer: -1}, limit: limit, free: limit}
}

// node is one path.
type node struct {
	entry    filetree.Entry
	special  byte // the tar type flag of an entry that a Tree cannot hold, else 0
	layer    int  // index of the layer with the entry
	uid, gid int
	children map[string]*node // of directories
	stripped int              // the layer that hid the entries of lower ones
}

func (n *node) isDir() bool { return n.special == 0 && n.entry.Kind == filetree.Dir }

// cleanName returns the path of a tar entry, "" for the root. Leading slashes
// and "./" are dropped as container runtimes do.
func cleanName(name string) (string, error) {
	if len(name) > maxPath {
		return "", fmt.Errorf("the path has %d bytes, more than %d", len(name), maxPath)
	}
	for _, part := range strings.Split(name, "/") {
		if part == ".." {
			return "", ErrEscape
		}
		if len(part) > maxPart {
			return "", fmt.Errorf("a part of the path has %d bytes, more than %d", len(part), maxPart)
		}
	}
	return strings.TrimPrefix(path.Clean("/"+name), "/"), nil
}

// folder returns the directory at dir. It follows links within the root and adds
// missing directories.
func (f *forest) folder(dir string, layer int) (*node, error) {
	trail := []*node{f.root}
	rest := strings.Split(dir, "/")
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		here := trail[len(trail)-1]
		switch part {
		case "", ".":
			continue
		case "..":
			trail = trail[:max(1, len(trail)-1)]
			continue
		}
		next := here.children[part]
		switch {
		case next == nil:
			if len(trail) > maxDepth {
				return nil, limitError("directories in each other", maxDepth)
			}
			if f.free--; f.free < 0 {
				return nil, limitError("directories", int64(f.limit))
			}
			next = &node{entry: filetree.Entry{Kind: filetree.Dir, Mode: programMode}, layer: layer}
			here.set(part, next)
		case next.special == 0 && next.entry.Kind == filetree.Symlink:
			if links++; links > maxLinks {
				return nil, fmt.Errorf("its parent leads through more than %d links", maxLinks)
			}
			if path.IsAbs(next.entry.Link) {
				trail = trail[:1]
			}
			rest = append(strings.Split(next.entry.Link, "/"), rest...)
			continue
		case !next.isDir():
			return nil, errors.New("its parent is not a directory")
		}
		trail = append(trail, next)
	}
	return trail[len(trail)-1], nil
}

func (n *node) set(name string, child *node) {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	n.children[name] = child
}

// put adds a node; a directory that replaces a directory keeps its children.
func (f *forest) put(name string, child *node) error {
	parent, err := f.folder(path.Dir(name), child.layer)
	if err != nil {
		return err
	}
	if old := parent.children[path.Base(name)]; old != nil && old.isDir() && child.isDir() {
		child.children, child.stripped = old.children, old.stripped
	}
	parent.set(path.Base(name), child)
	return nil
}

// whiteOut applies a whiteout to the entries of lower layers, and reports whether
// name is a whiteout.
func (f *forest) whiteOut(name string, layer int) (bool, error) {
	base := path.Base(name)
	if !strings.HasPrefix(base, whiteoutPrefix) {
		return false, nil
	}
	parent, err := f.folder(path.Dir(name), layer)
	if err != nil {
		return true, err
	}
	if base == whiteoutOpaque {
		parent.strip(layer)
		return true, nil
	}
	base = base[len(whiteoutPrefix):]
	if base == "" || base == "." || base == ".." {
		return true, ErrEscape
	}
	if child := parent.children[base]; child != nil {
		child.strip(layer)
		parent.drop(base, layer)
	}
	return true, nil
}

// strip removes the entries of layers below layer from a directory, once. A
// directory of theirs remains if layer itself has an entry in it.
func (n *node) strip(layer int) {
	if n.stripped >= layer {
		return
	}
	n.stripped = layer
	for name, child := range n.children {
		child.strip(layer)
		n.drop(name, layer)
	}
}

// drop removes an entry of a lower layer if it has no children.
func (n *node) drop(name string, layer int) {
	if child := n.children[name]; child.layer < layer && len(child.children) == 0 {
		delete(n.children, name)
	}
}

// hardLink returns the file that a hard link to target has.
func (f *forest) hardLink(target string) (filetree.Entry, error) {
	name, err := cleanName(target)
	if err != nil {
		return filetree.Entry{}, fmt.Errorf("link to %q: %w", clip(target), err)
	}
	here := f.root
	for _, part := range strings.Split(name, "/") {
		if here = here.children[part]; here == nil {
			return filetree.Entry{}, fmt.Errorf("link to %q: no such entry", clip(target))
		}
	}
	if here.special != 0 || here.entry.Kind == filetree.Dir {
		return filetree.Entry{}, fmt.Errorf("link to %q: not a file", clip(target))
	}
	return here.entry, nil
}

// flat returns the tree below the root.
func (f *forest) flat() (Flat, error) {
	var out Flat
	var all []filetree.Entry
	size := 0
	var walk func(dir string, n *node)
	walk = func(dir string, n *node) {
		for name, child := range n.children {
			full := path.Join(dir, name)
			if size += len(full); size > maxPaths {
				return
			}
			if child.special != 0 {
				out.Special = append(out.Special, Special{full, child.special})
				continue
			}
			e := child.entry
			e.Path = full
			all = append(all, e)
			if child.uid != 0 || child.gid != 0 {
				out.Owned = append(out.Owned, Owned{full, child.uid, child.gid})
			}
			walk(full, child)
		}
	}
	if walk("", f.root); size > maxPaths {
		return Flat{}, limitError("bytes of paths", maxPaths)
	}
	slices.SortFunc(out.Special, func(a, b Special) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortFunc(out.Owned, func(a, b Owned) int { return cmp.Compare(a.Path, b.Path) })
	var err error
	out.Tree, err = filetree.New(all)
	return out, err
}
