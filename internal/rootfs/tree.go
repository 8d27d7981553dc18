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

// FromImage returns a folder with the files of an extension image, for mounting.
// digest identifies the tree; tree is called only if the folder does not exist
// yet. In a cluster root owns an image's files and the server is another user, so
// only the permissions of others count. The folder has them as the permissions of
// the owner and the group too: a file that the server cannot read in a cluster
// cannot be read here either.
func (s *Store) FromImage(ctx context.Context, digest string, tree func() (filetree.Tree, error)) (string, error) {
	dir, err := s.once(ctx, kindImage, keyOf(digest), func(dir *os.Root) error {
		t, err := tree()
		if err != nil {
			return err
		}
		return writeImage(ctx, dir, t)
	})
	if err != nil {
		return "", fmt.Errorf("unpacking the image %s: %w", digest, err)
	}
	return dir, nil
}

// FromOperand returns the root with the files of an operand image, those that a
// container runtime adds, and the user User if the image has no user with its id.
// digest identifies the tree; tree is called only if the root does not exist yet.
// scratch is a temporary folder for contents.
func (s *Store) FromOperand(ctx context.Context, digest string, tree func(scratch string) (filetree.Tree, error)) (string, error) {
	dir, err := s.once(ctx, kindOperand, keyOf(digest), func(dir *os.Root) error {
		scratch, err := os.MkdirTemp(s.dir, temporary)
		if err != nil {
			return err
		}
		t, err := tree(scratch)
		if err == nil {
			err = writeRoot(ctx, dir, t)
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

// runtimeDirs are the folders that a container runtime mounts.
var runtimeDirs = []string{"dev/", "proc/", "sys/"}

// writeRoot writes the files of an operating system, with their own permissions,
// into a folder.
func writeRoot(ctx context.Context, dir *os.Root, tree filetree.Tree) error {
	if err := writeTree(ctx, dir, tree, fs.FileMode.Perm, runtimeDirs); err != nil {
		return err
	}
	return furnishImage(dir)
}

// writeImage writes the files of an extension image, with the permissions of
// others, into a folder.
func writeImage(ctx context.Context, dir *os.Root, tree filetree.Tree) error {
	if err := writeTree(ctx, dir, tree, others, nil); err != nil {
		return err
	}
	for _, e := range slices.Backward(slices.Collect(tree.All())) { // the deepest first
		if e.Kind != filetree.Dir {
			continue
		}
		// writable, so that the owner of the cache can remove it; the mount is read-only
		if err := dir.Chmod(e.Path, others(e.Mode)|0o200); err != nil {
			return err
		}
	}
	return nil
}

// writeTree writes the entries of a tree, except those below skip. mode returns the
// permissions of a file.
func writeTree(ctx context.Context, dir *os.Root, tree filetree.Tree, mode func(fs.FileMode) fs.FileMode, skip []string) error {
	w := newWriter(dir)
	for e := range tree.All() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if slices.ContainsFunc(skip, func(d string) bool { return strings.HasPrefix(e.Path, d) }) {
			continue
		}
		if err := writeEntry(w, e, mode(e.Mode)); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
	}
	return nil
}

func writeEntry(w writer, e filetree.Entry, mode fs.FileMode) error {
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

// others returns a mode with the permissions of others for owner and group too.
func others(mode fs.FileMode) fs.FileMode {
	o := mode.Perm() & 0o7
	return o<<6 | o<<3 | o
}
