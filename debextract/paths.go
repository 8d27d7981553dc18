package debextract

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
)

// maxPath is Linux' PATH_MAX, in bytes.
const maxPath = 4096

// cleanPath turns the name of a tar entry, "./usr/lib/" say, into a path
// below the root, "." for the root itself.
func cleanPath(name string) (string, error) {
	switch {
	case name == "" || len(name) > maxPath:
		return "", ErrInvalidPath
	case path.IsAbs(name):
		return "", ErrAbsolutePath
	}
	for element := range strings.SplitSeq(name, "/") {
		if element == ".." {
			return "", ErrEscapingPath
		}
	}
	clean := path.Clean(name)
	if !fs.ValidPath(clean) || strings.ContainsRune(clean, 0) {
		return "", ErrInvalidPath
	}
	return clean, nil
}

// checkSymlink refuses a target that a relative link at name reaches only by
// climbing above the root. Absolute targets are relative to the root and can
// not leave it.
func checkSymlink(name, target string) error {
	if target == "" || len(target) > maxPath || strings.ContainsRune(target, 0) {
		return ErrInvalidLink
	}
	if path.IsAbs(target) {
		return nil
	}
	// Element by element: "a/../../b" may climb although its sum does not.
	depth := strings.Count(name, "/")
	for element := range strings.SplitSeq(target, "/") {
		switch element {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return fmt.Errorf("%w: %q", ErrEscapingLink, target)
			}
		default:
			depth++
		}
	}
	return nil
}

// pathTable remembers what earlier entries made of each path, so that no later
// one goes through a link or replaces a file.
type pathTable struct {
	nodes map[string]node
	limit int
	bytes int // of all paths and link targets
}

type node struct {
	kind filetree.Kind
	size int64
	// origin is the path of the file that a hard link shares; "" otherwise.
	origin string
	// link is a symlink's target.
	link string
}

func newPathTable(limit int) *pathTable {
	return &pathTable{nodes: map[string]node{".": {kind: filetree.Dir}}, limit: limit}
}

// add enters e, and its parents as directories where nothing brought them.
func (t *pathTable) add(e Entry) error {
	for parent := path.Dir(e.Path); ; parent = path.Dir(parent) {
		n, ok := t.nodes[parent]
		if ok && n.kind == filetree.Symlink {
			return fmt.Errorf("%w: %q", ErrThroughSymlink, parent)
		}
		if ok && n.kind == filetree.File {
			return fmt.Errorf("%w: %q", ErrBelowFile, parent)
		}
		if ok {
			break // and so are the directories above it
		}
		t.nodes[parent] = node{kind: filetree.Dir}
	}
	if n, ok := t.nodes[e.Path]; ok && (n.kind != filetree.Dir || e.Kind != filetree.Dir) {
		return ErrDuplicate
	}
	t.nodes[e.Path] = node{e.Kind, e.Size, e.HardLink, e.Link}
	t.bytes += len(e.Path) + len(e.Link)
	if len(t.nodes)-1 > t.limit || t.bytes/256 > t.limit {
		return fmt.Errorf("is too much: %w: more than %d paths", ErrTooLarge, t.limit)
	}
	return nil
}

// linkTo makes e a hard link to what an earlier entry brought. A hard link to
// a symlink is the same symlink once more.
func (t *pathTable) linkTo(e *Entry, target string) error {
	clean, err := cleanPath(target)
	if err != nil {
		return fmt.Errorf("%w: %q %w", ErrEscapingLink, target, err)
	}
	n, ok := t.nodes[clean]
	switch {
	case !ok || n.kind == filetree.Dir:
		return fmt.Errorf("%w: %q", ErrHardLink, target)
	case n.kind == filetree.Symlink:
		e.Kind, e.Link = filetree.Symlink, n.link
		return checkSymlink(e.Path, n.link)
	case n.origin != "":
		clean = n.origin
	}
	e.Size, e.HardLink = n.size, clean
	return nil
}
