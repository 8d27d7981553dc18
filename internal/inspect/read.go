package inspect

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/layout"
)

const (
	// maxText limits the size of a control file, package paragraph or list of
	// digests, in bytes, and maxTexts their sum.
	maxText  = 4 << 20
	maxTexts = 256 << 20
)

// files holds the contents of files in the layers that were read, by SHA-256.
// Layers may contain several files for one path; the tree has the digest of the
// visible one.
type files struct {
	objects map[string]elf.Object
	// malformed are errors of files with an invalid ELF structure.
	malformed map[string]string
	texts     map[string]string
	size      int64 // of all texts, in bytes
}

func newFiles() *files {
	return &files{objects: map[string]elf.Object{}, malformed: map[string]string{}, texts: map[string]string{}}
}

// wanted reports whether read needs the content of a file.
func wanted(e filetree.Entry) bool { return e.Size >= minELF || isText(e.Path) }

// minELF is the size of the smallest ELF header in bytes.
const minELF = 52

// isText reports whether a file is read as text.
func isText(p string) bool {
	return path.Ext(p) == ".control" || path.Ext(p) == ".sql" || strings.HasPrefix(p, layout.DatabaseDir) || p == layout.OSRelease
}

// read reads a text or an ELF file. It returns keep for SQL scripts, which stay in
// the cache because they can be large.
func (f *files) read(e filetree.Entry, content io.ReaderAt) (keep bool, err error) {
	if path.Ext(e.Path) == ".sql" {
		return true, nil
	}
	if isText(e.Path) {
		return false, f.readText(e, content)
	}
	if _, known := f.objects[e.SHA256]; known {
		return false, nil
	}
	o, err := elf.Read(content, e.Size)
	var malformed *elf.FormatError
	switch {
	case err == nil:
		f.objects[e.SHA256] = o
	case errors.As(err, &malformed):
		f.malformed[e.SHA256] = malformed.Error()
	case !errors.Is(err, elf.ErrNotELF):
		return false, err
	}
	return false, nil
}

func (f *files) readText(e filetree.Entry, content io.ReaderAt) error {
	if f.size += e.Size; e.Size > maxText || f.size > maxTexts {
		return fmt.Errorf("%s: size limit for text exceeded: %d bytes (limits %d, in total %d)", e.Path, e.Size, maxText, maxTexts)
	}
	text, err := io.ReadAll(io.NewSectionReader(content, 0, e.Size))
	f.texts[e.SHA256] = string(text)
	return err
}

// textAt returns the text at a path of the tree.
func (x *inspector) textAt(p string) (string, bool) {
	e, ok := x.Tree.Resolve(p)
	if !ok || e.Kind != filetree.File {
		return "", false
	}
	text, ok := x.files.texts[e.SHA256]
	return text, ok
}

// withTexts returns the tree with the texts as contents of their files.
func (f *files) withTexts(tree filetree.Tree) (filetree.Tree, error) {
	var out []filetree.Entry
	for e := range tree.All() {
		if text, ok := f.texts[e.SHA256]; ok && e.Kind == filetree.File {
			e.Content = filetree.Bytes([]byte(text))
		}
		out = append(out, e)
	}
	return filetree.New(out)
}

// object returns the ELF object of an entry of the tree.
func (x *inspector) object(e filetree.Entry) (elf.Object, bool) {
	o, ok := x.files.objects[e.SHA256]
	return o, ok && e.Kind == filetree.File
}
