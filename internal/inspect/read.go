package inspect

import (
	"io"
	"path"
	"strings"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
	"github.com/pgext/pgext/internal/image"
	"github.com/pgext/pgext/layout"
)

// newReader returns a reader of control files, the package database and ELF files.
func newReader() *image.FileReader {
	return &image.FileReader{IsText: isText, MaxText: 4 << 20, MaxTexts: 256 << 20}
}

// wanted reports whether look needs the content of a file.
func wanted(e filetree.Entry) bool { return e.Size >= minELF || isText(e.Path) || isScript(e.Path) }

// minELF is the size of the smallest ELF header in bytes.
const minELF = 52

// isText reports whether a file is read as text.
func isText(p string) bool {
	return path.Ext(p) == ".control" || strings.HasPrefix(p, layout.DatabaseDir) || p == layout.OSRelease
}

// isScript reports whether a file is an SQL script. Scripts stay in the cache, because
// they can be large.
func isScript(p string) bool { return path.Ext(p) == ".sql" }

// look reads a text or an ELF file. It returns keep for scripts.
func (x *inspector) look(e filetree.Entry, content io.ReaderAt) (keep bool, err error) {
	if isScript(e.Path) {
		return true, nil
	}
	return x.files.Read(e, content)
}

// withTexts returns the tree with the texts as contents of their files.
func (x *inspector) withTexts() (filetree.Tree, error) {
	var out []filetree.Entry
	for e := range x.Tree.All() {
		if text, ok := x.files.Texts[e.SHA256]; ok && e.Kind == filetree.File {
			e.Content = filetree.Bytes([]byte(text))
		}
		out = append(out, e)
	}
	return filetree.New(out)
}

// object returns the ELF object of an entry of the tree.
func (x *inspector) object(e filetree.Entry) (elf.Object, bool) {
	o, ok := x.files.Objects[e.SHA256]
	return o, ok && e.Kind == filetree.File
}
