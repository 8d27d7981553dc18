package layout

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/lock"
)

// maxPath limits the length of a path to find in a binary, in bytes.
const maxPath = 512

// compiledPaths reports absolute paths of the default location in the extension's
// own ELF files, which are never modified.
func (a *arrangement) compiledPaths(placed []placement) error {
	for _, p := range placed {
		if p.pkg.Role != lock.Extension || p.duplicate || p.link != "" {
			continue
		}
		if _, ok := p.pkg.Objects[p.source.Path]; !ok {
			continue
		}
		paths, err := a.pathsIn(p)
		if err != nil {
			return fmt.Errorf("arranging %s: package %s: reading %s: %w", a.in.Name, p.pkg.Name, p.source.Path, err)
		}
		for _, found := range paths {
			a.find("PGX024", p.to, "", "contains the compiled-in path %s", found)
		}
	}
	return nil
}

// pathsIn returns the sorted paths below sharedir and pkglibdir in a file. It
// ignores the directories themselves: they are harmless in a RUNPATH and in
// programs that link PostgreSQL's path functions (src/port/path.c). The latter
// also contain mandir, which is below sharedir.
func (a *arrangement) pathsIn(p placement) ([]string, error) {
	if p.source.Content == nil {
		return nil, errors.New("no content")
	}
	r, err := p.source.Content.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	prefixes := [][]byte{[]byte("/" + a.in.sharedir() + "/"), []byte("/" + a.in.pkglibdir() + "/")}
	var found []string
	buf := make([]byte, 0, 256<<10)
	for {
		n, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		for _, prefix := range prefixes {
			found = append(found, pathsWith(prefix, buf)...)
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			slices.Sort(found)
			mandir := "/" + a.in.sharedir() + "/man"
			return slices.DeleteFunc(slices.Compact(found), func(p string) bool { return p == mandir }), nil
		case err != nil:
			return nil, err
		}
		// Keep the end of the buffer: it may hold the start of a path.
		buf = append(buf[:0], buf[len(buf)-maxPath:]...)
	}
}

// pathsWith returns the paths in b that start with prefix, truncated to maxPath
// bytes. It omits a path at the end of b.
func pathsWith(prefix, b []byte) []string {
	var found []string
	for {
		i := bytes.Index(b, prefix)
		if i < 0 {
			return found
		}
		b = b[i:]
		end := 0
		for end < min(len(b), maxPath) && strings.IndexByte(pathBytes+"%", b[end]) >= 0 {
			end++
		}
		if end < len(b) {
			found = append(found, string(b[:end]))
		}
		b = b[len(prefix):]
	}
}
