package image

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/filetree"
)

const (
	plainMode   fs.FileMode = 0o644
	programMode fs.FileMode = 0o755
	linkMode    fs.FileMode = 0o777
)

// entries returns the entries of the layer of tree as they will be written: parents
// first, with missing parents, modes reduced to 0644 and 0755, and times clamped to
// epoch (the zero epoch clamps nothing). Directories and entries without a time get
// the newest time of the layer's files.
func entries(tree filetree.Tree, epoch time.Time) ([]filetree.Entry, error) {
	clamp := func(t time.Time) time.Time {
		if !epoch.IsZero() && t.After(epoch) {
			t = epoch
		}
		return t.UTC().Truncate(time.Second)
	}
	newest := tree.Newest()
	if newest.IsZero() {
		newest = epoch
	}
	if newest.IsZero() {
		newest = time.Unix(0, 0)
	}
	newest = clamp(newest)

	var out []filetree.Entry
	kinds := map[string]filetree.Kind{}
	for e := range tree.All() {
		kinds[e.Path] = e.Kind
		if e.Mode = effectiveMode(e); e.Kind == filetree.Dir || e.ModTime.IsZero() {
			e.ModTime = newest
		}
		e.ModTime = clamp(e.ModTime)
		out = append(out, e)
	}
	for e := range tree.All() {
		for dir := path.Dir(e.Path); dir != "."; dir = path.Dir(dir) {
			kind, ok := kinds[dir]
			if ok && kind != filetree.Dir {
				return nil, fmt.Errorf("entry %q: its parent %q is not a directory", e.Path, dir)
			}
			if ok {
				break
			}
			kinds[dir] = filetree.Dir
			out = append(out, filetree.Entry{Path: dir, Kind: filetree.Dir, Mode: programMode, ModTime: newest})
		}
	}
	slices.SortFunc(out, func(a, b filetree.Entry) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// effectiveMode reduces the mode of an entry to 0755 or 0644: an image has no setuid
// files, and the user of the server must be able to read all files.
func effectiveMode(e filetree.Entry) fs.FileMode {
	switch {
	case e.Kind == filetree.Symlink:
		return linkMode
	case e.Kind == filetree.Dir || e.Mode&0o111 != 0:
		return programMode
	}
	return plainMode
}

// identity returns a digest of everything that the bytes of the tar depend on.
func identity(all []filetree.Entry) string {
	h := sha256.New()
	for _, e := range all {
		fmt.Fprintf(h, "%s %04o %d %d %s %q %q\n", e.Kind, e.Mode, e.ModTime.Unix(), e.Size, e.SHA256, e.Path, e.Link)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// writeTar writes the entries as a tar archive: USTAR where it can represent the
// header, else PAX. This rule of archive/tar depends only on the entry. The owner is
// 0:0, without names. Every file must have the digest of its entry.
func writeTar(ctx context.Context, w io.Writer, all []filetree.Entry) error {
	tw := tar.NewWriter(w)
	buf := make([]byte, 256<<10)
	for _, e := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := tw.WriteHeader(header(e)); err != nil {
			return fmt.Errorf("entry %q: %w", e.Path, err)
		}
		if e.Kind != filetree.File {
			continue
		}
		if err := copyContent(tw, e, buf); err != nil {
			return fmt.Errorf("entry %q: %w", e.Path, err)
		}
	}
	return tw.Close()
}

func header(e filetree.Entry) *tar.Header {
	h := &tar.Header{Name: e.Path, Mode: int64(e.Mode.Perm()), ModTime: e.ModTime}
	switch e.Kind {
	case filetree.Dir:
		h.Typeflag, h.Name = tar.TypeDir, e.Path+"/"
	case filetree.Symlink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.Link
	default:
		h.Typeflag, h.Size = tar.TypeReg, e.Size
	}
	return h
}

func copyContent(w io.Writer, e filetree.Entry, buf []byte) error {
	if e.Content == nil {
		return fmt.Errorf("no content for %d bytes", e.Size)
	}
	r, err := e.Content.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.CopyBuffer(onlyWriter{io.MultiWriter(w, h)}, r, buf)
	if err != nil {
		return err
	}
	if n != e.Size {
		return fmt.Errorf("size mismatch: got %d bytes, want %d", n, e.Size)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != e.SHA256 {
		return fmt.Errorf("digest mismatch: got %s, want %s", got, e.SHA256)
	}
	return nil
}

// onlyWriter hides ReadFrom, so that io.CopyBuffer uses its buffer.
type onlyWriter struct{ io.Writer }
