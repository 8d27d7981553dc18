package rootfs

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/filetree"
)

// FromImage returns a folder with the files of an extension image, for
// mounting. digest identifies the tree, which is asked for when the folder
// is not there yet. Since an image's files are root's and
// the server is not root, what others may do is all that counts: the modes in
// the folder say that of everybody, its owner included, so that a file which
// the server could not read in a cluster cannot be read here either.
func (s *Store) FromImage(ctx context.Context, digest string, tree func() (filetree.Tree, error)) (string, error) {
	dir, err := s.once(ctx, kindImage, keyOf(digest), func(dir *os.Root) error {
		t, err := tree()
		if err != nil {
			return err
		}
		return lay(ctx, dir, t)
	})
	if err != nil {
		return "", fmt.Errorf("unpacking the image %s: %w", digest, err)
	}
	return dir, nil
}

// FromOperand returns the root that the files of an operand image make, with
// what a container runtime would add, and the server's user where the image
// has none with its id. digest identifies the tree, which is asked for when the
// root is not there yet; scratch is a folder for the contents on the way, gone
// afterwards.
func (s *Store) FromOperand(ctx context.Context, digest string, tree func(scratch string) (filetree.Tree, error)) (string, error) {
	dir, err := s.once(ctx, kindOperand, keyOf(digest), func(dir *os.Root) error {
		scratch, err := os.MkdirTemp(s.dir, temporary)
		if err != nil {
			return err
		}
		t, err := tree(scratch)
		if err == nil {
			err = layRoot(ctx, dir, t)
		}
		if removeErr := removeAll(scratch); err == nil {
			err = removeErr
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("making a root file system of the image %s: %w", digest, err)
	}
	return dir, nil
}

// runtimeDirs are what a container runtime mounts.
var runtimeDirs = []string{"dev/", "proc/", "sys/"}

// layRoot puts a whole operating system into a folder, whose owner may read
// all of it: the server sees what others may.
func layRoot(ctx context.Context, dir *os.Root, tree filetree.Tree) error {
	w := writer{root: dir, made: map[string]bool{}}
	for e := range tree.All() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if slices.ContainsFunc(runtimeDirs, func(d string) bool { return strings.HasPrefix(e.Path, d) }) {
			continue
		}
		if err := layOne(w, e, e.Mode.Perm()); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
	}
	return furnishImage(dir)
}

func lay(ctx context.Context, dir *os.Root, tree filetree.Tree) error {
	w := writer{root: dir, made: map[string]bool{}}
	var folders []filetree.Entry
	for e := range tree.All() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.Kind == filetree.Dir {
			folders = append(folders, e)
		}
		if err := layOne(w, e, others(e.Mode)); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
	}
	for i := len(folders) - 1; i >= 0; i-- { // the deepest first
		// who owns the cache can remove it; the server sees a read-only mount
		if err := dir.Chmod(folders[i].Path, others(folders[i].Mode)|0o200); err != nil {
			return err
		}
	}
	return nil
}

func layOne(w writer, e filetree.Entry, mode fs.FileMode) error {
	if e.Kind != filetree.File {
		return w.write(e, 0, nil)
	}
	r, err := e.Content.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	return w.write(e, mode, r)
}

// others returns a mode in which everybody may do what others may.
func others(mode fs.FileMode) fs.FileMode {
	o := mode.Perm() & 0o7
	return o<<6 | o<<3 | o
}
