package rootfs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/pgext/pgext/debextract"
	"github.com/pgext/pgext/internal/alternatives"
	"github.com/pgext/pgext/internal/decompress"
	"github.com/pgext/pgext/internal/filetree"
)

// Deb is a package whose file is in the cache.
type Deb struct {
	Name string
	// SHA256 is its digest, in lower-case hex.
	SHA256 string
}

// memory limits the parallel decoding of blocks of all packages, in bytes.
const memory = 128 << 20

// FromDebs returns the folder of the root that consists of the packages, in any
// order. The error wraps fs.ErrNotExist if the cache lacks one of them.
func (s *Store) FromDebs(ctx context.Context, debs []Deb) (string, error) {
	debs = slices.Clone(debs)
	slices.SortFunc(debs, func(a, b Deb) int { return strings.Compare(a.Name, b.Name) })
	var lines []string
	for _, d := range debs {
		lines = append(lines, d.Name+" "+d.SHA256)
	}
	dir, err := s.once(ctx, kindDebs, keyOf(lines...), func(dir *os.Root) error { return s.unpack(ctx, dir, debs) })
	if err != nil {
		return "", fmt.Errorf("making a root file system of %d packages: %w", len(debs), err)
	}
	return dir, nil
}

// unpack unpacks packages, the largest first, then adds what their maintainer
// scripts would.
func (s *Store) unpack(ctx context.Context, dir *os.Root, debs []Deb) error {
	if err := merge(dir); err != nil {
		return err
	}
	order := make([]int, len(debs))
	for i := range debs {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		sizeA, _ := s.cache.Has(debs[a].SHA256)
		sizeB, _ := s.cache.Has(debs[b].SHA256)
		return cmp.Compare(sizeB, sizeA)
	})
	links := make([][]alternatives.Link, len(debs))
	budget := decompress.NewBudget(memory)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.jobs)
	for _, i := range order {
		group.Go(func() (err error) {
			if links[i], err = s.unpackOne(ctx, dir, debs[i], budget); err != nil {
				return fmt.Errorf("unpacking %s: %w", debs[i].Name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := linkAlternatives(dir, slices.Concat(links...)); err != nil {
		return err
	}
	return furnishDebs(dir)
}

// unpackOne unpacks a package and returns the alternatives that it installs.
func (s *Store) unpackOne(ctx context.Context, dir *os.Root, d Deb, budget *decompress.Budget) ([]alternatives.Link, error) {
	f, err := s.cache.Open(d.SHA256)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p, err := debextract.Open(f, info.Size(), debextract.Options{Jobs: s.jobs, Budget: budget, AllowSetuid: true})
	if err != nil {
		return nil, err
	}
	control, err := p.Control()
	if err != nil {
		return nil, err
	}
	w := newWriter(dir)
	if err := p.Walk(ctx, func(e debextract.Entry, r io.Reader) error {
		e.Path = merged(e.Path)
		if unwanted(e.Path) {
			return nil
		}
		if e.HardLink != "" {
			return w.link(merged(e.HardLink), e.Path)
		}
		return w.write(e.Entry, e.Mode.Perm(), r)
	}); err != nil {
		return nil, err
	}
	links, _ := alternatives.Parse(control.Scripts["postinst"], map[string]string{"DPKG_MAINTSCRIPT_PACKAGE": d.Name})
	return links, nil
}

// unwantedDirs are folders that debian:*-slim leaves out as well, and others that
// no server needs.
var unwantedDirs = []string{
	"usr/share/doc/", "usr/share/doc-base/", "usr/share/info/", "usr/share/lintian/",
	"usr/share/locale/", "usr/share/man/", "usr/share/bug/", "usr/share/bash-completion/",
}

func unwanted(name string) bool {
	for _, dir := range unwantedDirs {
		if strings.HasPrefix(name+"/", dir) {
			return true
		}
	}
	return name == "." || slices.Contains(mergedDirs, name)
}

// mergedDirs are links into /usr, also if no package has the links (usrmerge has
// them before Debian 13, base-files since).
var mergedDirs = []string{"bin", "lib", "lib64", "sbin"}

func merge(dir *os.Root) error {
	w := newWriter(dir)
	for _, name := range mergedDirs {
		if err := w.dir("usr/" + name); err != nil {
			return err
		}
		if err := dir.Symlink("usr/"+name, name); err != nil {
			return err
		}
	}
	return nil
}

// merged returns the path in the root of a package's file.
func merged(name string) string {
	if first, _, ok := strings.Cut(name, "/"); ok && slices.Contains(mergedDirs, first) {
		return "usr/" + name
	}
	return name
}

// writer puts entries into a root.
type writer struct {
	root *os.Root
	// made are folders that exist.
	made map[string]bool
}

func newWriter(root *os.Root) writer { return writer{root: root, made: map[string]bool{}} }

// write puts an entry, with the content r, into the root.
func (w writer) write(e filetree.Entry, mode fs.FileMode, r io.Reader) error {
	if e.Kind == filetree.Dir {
		return w.dir(e.Path)
	}
	if err := w.dir(path.Dir(e.Path)); err != nil {
		return err
	}
	if e.Kind == filetree.Symlink {
		return conflict(w.root.Symlink(e.Link, e.Path))
	}
	f, err := w.root.OpenFile(e.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return conflict(err)
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Chmod(mode)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (w writer) link(from, to string) error {
	if err := w.dir(path.Dir(to)); err != nil {
		return err
	}
	return conflict(w.root.Link(from, to))
}

// dir makes a folder with its parents, with mode 0755 for every umask.
func (w writer) dir(name string) error {
	if name == "." || w.made[name] {
		return nil
	}
	if err := w.dir(path.Dir(name)); err != nil {
		return err
	}
	err := w.root.Mkdir(name, 0o755)
	switch {
	case err == nil:
		err = w.root.Chmod(name, 0o755)
	case errors.Is(err, fs.ErrExist):
		err = nil
	}
	w.made[name] = err == nil
	return err
}

// conflict adds that another package has the path already.
func conflict(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("another package has the same path: %w", err)
	}
	return err
}
