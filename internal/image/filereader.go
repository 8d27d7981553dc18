package image

import (
	"errors"
	"fmt"
	"io"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// FileReader collects texts and ELF files while Flatten reads an image; see
// FlattenOptions.Look. Its maps have the SHA-256 of contents as keys, because layers
// may have several files for one path, and only the tree has the visible one.
type FileReader struct {
	// IsText reports whether the file at a path is a text. All others are parsed as
	// ELF files.
	IsText func(path string) bool
	// MaxText limits the size of one text, MaxTexts the sum of all, in bytes.
	MaxText, MaxTexts int64

	Texts   map[string]string
	Objects map[string]elf.Object
	// Malformed are the errors of files with an invalid ELF structure.
	Malformed map[string]string

	size int64 // of all texts
}

// Read reads a file. Files that are neither a text nor an ELF file are ignored.
func (r *FileReader) Read(e filetree.Entry, content io.ReaderAt) (keep bool, err error) {
	if r.Texts == nil {
		r.Texts, r.Objects, r.Malformed = map[string]string{}, map[string]elf.Object{}, map[string]string{}
	}
	if r.IsText(e.Path) {
		if r.size += e.Size; e.Size > r.MaxText || r.size > r.MaxTexts {
			return false, fmt.Errorf("%s: size limit for text exceeded: %d bytes (limits %d, in total %d)", e.Path, e.Size, r.MaxText, r.MaxTexts)
		}
		text, err := io.ReadAll(io.NewSectionReader(content, 0, e.Size))
		r.Texts[e.SHA256] = string(text)
		return false, err
	}
	if _, known := r.Objects[e.SHA256]; known {
		return false, nil
	}
	o, err := elf.Read(content, e.Size)
	var malformed *elf.FormatError
	switch {
	case err == nil:
		r.Objects[e.SHA256] = o
	case errors.As(err, &malformed):
		r.Malformed[e.SHA256] = malformed.Error()
	case !errors.Is(err, elf.ErrNotELF):
		return false, err
	}
	return false, nil
}

// Text returns the text at a path of the tree, following links.
func (r *FileReader) Text(tree filetree.Tree, path string) (string, bool) {
	e, ok := tree.Resolve(path)
	if !ok || e.Kind != filetree.File {
		return "", false
	}
	text, ok := r.Texts[e.SHA256]
	return text, ok
}
