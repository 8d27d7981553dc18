package inspect

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// Where a scanner, and this room, learn of the packages in an image.
const (
	databaseDir = "var/lib/dpkg/status.d/"
	osRelease   = "usr/lib/os-release"
)

const (
	// maxText bounds one control file, package paragraph or list of digests,
	// in bytes.
	maxText = 4 << 20
	// maxTexts bounds all of them together.
	maxTexts = 256 << 20
)

// facts are what was learnt on the way through the layers, by the SHA-256 of
// a file's content: which of two files at one path counts, the tree says.
type facts struct {
	objects map[string]elf.Object
	// malformed are files that start as ELF and do not hold together.
	malformed map[string]string
	texts     map[string]string
}

// reader learns facts from a stream of files.
type reader struct {
	facts
	size int64
}

func newReader() *reader {
	return &reader{facts: facts{
		objects: map[string]elf.Object{}, malformed: map[string]string{}, texts: map[string]string{},
	}}
}

// wanted accepts the files that look has to see; small ones cost little.
func wanted(e filetree.Entry) bool { return e.Size >= minELF || isText(e.Path) }

// minELF is the size of the smallest ELF header, in bytes.
const minELF = 52

// isText accepts the files that are read as text.
func isText(p string) bool {
	return path.Ext(p) == ".control" || path.Ext(p) == ".sql" || strings.HasPrefix(p, databaseDir) || p == osRelease
}

// look learns what it can of one file. Scripts stay in the cache, since they
// may be too large to be kept here.
func (r *reader) look(e filetree.Entry, content io.ReaderAt) (keep bool, err error) {
	if path.Ext(e.Path) == ".sql" {
		return true, nil
	}
	if isText(e.Path) {
		return false, r.text(e, content)
	}
	if _, known := r.objects[e.SHA256]; known {
		return false, nil
	}
	o, err := elf.Read(content, e.Size)
	var malformed *elf.FormatError
	switch {
	case err == nil:
		r.objects[e.SHA256] = o
	case errors.As(err, &malformed):
		r.malformed[e.SHA256] = malformed.Error()
	case !errors.Is(err, elf.ErrNotELF):
		return false, err
	}
	return false, nil
}

func (r *reader) text(e filetree.Entry, content io.ReaderAt) error {
	if r.size += e.Size; e.Size > maxText || r.size > maxTexts {
		return fmt.Errorf("%s: %d bytes of text, more than is read", e.Path, e.Size)
	}
	text, err := io.ReadAll(io.NewSectionReader(content, 0, e.Size))
	r.texts[e.SHA256] = string(text)
	return err
}

// textAt returns the text at a path of the tree.
func (x *examination) textAt(p string) (string, bool) {
	e, ok := x.Tree.Resolve(p)
	if !ok || e.Kind != filetree.File {
		return "", false
	}
	text, ok := x.facts.texts[e.SHA256]
	return text, ok
}

// withTexts returns the tree with the texts as contents.
func (f facts) withTexts(tree filetree.Tree) (filetree.Tree, error) {
	var out []filetree.Entry
	for e := range tree.All() {
		if text, ok := f.texts[e.SHA256]; ok && e.Kind == filetree.File {
			e.Content = filetree.Bytes([]byte(text))
		}
		out = append(out, e)
	}
	return filetree.New(out)
}

// object returns the ELF file at an entry of the tree.
func (x *examination) object(e filetree.Entry) (elf.Object, bool) {
	o, ok := x.facts.objects[e.SHA256]
	return o, ok && e.Kind == filetree.File
}
