package debextract

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/pgext/pgext/internal/debian"
)

// Limits of the control member. texlive-fonts-extra's md5sums have 2 MB.
const (
	maxControlSize    = 64 << 20
	maxControlEntries = 256
)

// Control is the content of the control member of a package.
type Control struct {
	// Paragraph is the file called control.
	Paragraph debian.Paragraph
	// Scripts holds all other files by name: maintainer scripts (preinst,
	// postinst, prerm, postrm, config), conffiles, md5sums, triggers, shlibs,
	// symbols, templates. They are as written, UTF-8 or not, 64 MiB at most
	// together.
	Scripts map[string]string
}

// Control reads the control member.
func (p *Package) Control() (*Control, error) {
	s, err := p.open(context.Background(), p.control, maxControlSize)
	if err != nil {
		return nil, err
	}
	defer s.close()
	files := make(map[string]string)
	for n := 0; ; n++ {
		h, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, classify(err))
		}
		if n == maxControlEntries {
			return nil, fmt.Errorf("%s: %w: more than %d entries", s.name, ErrTooLarge, maxControlEntries)
		}
		if err := readControlFile(files, h, s); err != nil {
			return nil, fmt.Errorf("%s: entry %q: %w", s.name, h.Name, err)
		}
	}
	if err := s.finish(); err != nil {
		return nil, err
	}
	paragraph, err := parseControl(files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	delete(files, "control")
	return &Control{paragraph, files}, nil
}

// readControlFile adds one entry to files. deb(5) allows plain files and the
// root.
func readControlFile(files map[string]string, h *tar.Header, r io.Reader) error {
	name := path.Clean(h.Name)
	switch {
	case h.Typeflag == tar.TypeDir && name == ".":
		return nil
	case isSparse(h):
		return ErrSparse
	case h.Typeflag != tar.TypeReg:
		return fmt.Errorf("%w: not a plain file", ErrControl)
	case name == "." || name == ".." || strings.Contains(name, "/"):
		return fmt.Errorf("%w: not a plain name", ErrControl)
	case h.Size > maxControlSize:
		return ErrTooLarge
	}
	if _, ok := files[name]; ok {
		return ErrDuplicate
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return classify(err)
	}
	files[name] = string(text)
	return nil
}

func parseControl(files map[string]string) (debian.Paragraph, error) {
	text, ok := files["control"]
	if !ok {
		return debian.Paragraph{}, fmt.Errorf("%w: no file called control", ErrControl)
	}
	scanner := debian.NewScanner(strings.NewReader(text))
	if !scanner.Scan() {
		if err := scanner.Err(); err != nil {
			return debian.Paragraph{}, fmt.Errorf("%w: control: %w", ErrControl, err)
		}
		return debian.Paragraph{}, fmt.Errorf("%w: control: empty", ErrControl)
	}
	paragraph := scanner.Paragraph()
	if scanner.Scan() {
		return debian.Paragraph{}, fmt.Errorf("%w: control: more than one paragraph", ErrControl)
	}
	if err := scanner.Err(); err != nil {
		return debian.Paragraph{}, fmt.Errorf("%w: control: %w", ErrControl, err)
	}
	for _, field := range []string{"Package", "Version", "Architecture"} { // Policy 5.3
		if paragraph.Get(field) == "" {
			return debian.Paragraph{}, fmt.Errorf("%w: control: no field %s", ErrControl, field)
		}
	}
	return paragraph, nil
}
