package pgtest

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/pgext/pgext/internal/rootfs"
	"github.com/pgext/pgext/internal/sandbox"
)

// suiteDir is the copy of the suite's source tree in the sandbox, helpers a folder
// with programs for its Makefile.
const (
	suiteDir = rootfs.Home + "/regress"
	helpers  = rootfs.Home + "/helpers"
)

// maxTree limits a source tree, in bytes.
const maxTree = 2 << 30

// copyTree copies a source tree into the sandbox, since tests write into it.
func (s *server) copyTree(ctx context.Context, root *os.Root, major int, version string) error {
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := writeTree(w, root, pgConfig(major, version))
		w.CloseWithError(err)
		written <- err
	}()
	err := runProgram(ctx, s.sandbox, sandbox.Command{Args: []string{"/usr/bin/tar", "--extract", "--directory=" + rootfs.Home}, Stdin: r})
	_ = r.Close() // ends writeTree if it still writes; the error is always nil
	if cause := <-written; cause != nil && !errors.Is(cause, io.ErrClosedPipe) {
		return cause // tar has only seen an early end of its input
	}
	return err
}

// pgConfig returns a pg_config with the options that Makefiles use. The operand has
// none.
func pgConfig(major int, version string) []byte {
	return fmt.Appendf(nil, `#!/bin/sh
for option; do
	case $option in
	--version) echo "PostgreSQL %[2]s" ;;
	--pgxs) echo /usr/lib/postgresql/%[1]d/lib/pgxs/src/makefiles/pgxs.mk ;;
	--bindir) echo /usr/lib/postgresql/%[1]d/bin ;;
	--pkglibdir) echo /usr/lib/postgresql/%[1]d/lib ;;
	--sharedir) echo /usr/share/postgresql/%[1]d ;;
	--libdir) echo /usr/lib ;;
	--includedir) echo /usr/include/postgresql ;;
	--includedir-server) echo /usr/include/postgresql/%[1]d/server ;;
	*) exit 1 ;;
	esac
done
`, major, version)
}

// writeTree writes a tar archive of a source tree, without its history, and of
// pg_config.
func writeTree(to io.Writer, root *os.Root, pgConfig []byte) error {
	t := tree{Writer: tar.NewWriter(to), root: root}
	helper := &tar.Header{Name: path.Base(helpers) + "/pg_config", Mode: 0o755, Size: int64(len(pgConfig)), Typeflag: tar.TypeReg}
	if err := t.WriteHeader(helper); err != nil {
		return err
	}
	if _, err := t.Write(pgConfig); err != nil {
		return err
	}
	if err := fs.WalkDir(root.FS(), ".", t.add); err != nil {
		return err
	}
	return t.Close()
}

// tree writes the entries of a folder to a tar archive.
type tree struct {
	*tar.Writer
	root *os.Root
	size int64
}

func (t *tree) add(name string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	if d.IsDir() && d.Name() == ".git" {
		return fs.SkipDir
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	link := ""
	switch info.Mode().Type() {
	case 0, fs.ModeDir:
	case fs.ModeSymlink:
		if link, err = t.root.Readlink(name); err != nil {
			return err
		}
	default:
		return nil // sockets and devices are not part of a suite
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	h.Name, h.Uid, h.Gid, h.Uname, h.Gname = path.Join(path.Base(suiteDir), name), rootfs.User, rootfs.User, "", ""
	h.Mode = int64(info.Mode().Perm() | 0o600)
	if d.IsDir() {
		h.Mode |= 0o700
	}
	if t.size += h.Size; t.size > maxTree {
		return fmt.Errorf("source tree has more than %d MiB", maxTree>>20)
	}
	if err := t.WriteHeader(h); err != nil || h.Typeflag != tar.TypeReg {
		return err
	}
	return t.content(name)
}

func (t *tree) content(name string) error {
	f, err := t.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(t, f)
	return err
}

// shellTime and shellOutput limit one $(shell) of a Makefile, readTime all of them
// together.
const (
	shellTime   = 30 * time.Second
	readTime    = 2 * time.Minute
	shellOutput = 1 << 20
)

// shell returns the output of a command in the copy of the source tree. Like make,
// it ignores the exit code.
func (s *server) shell(ctx context.Context, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout(shellTime))
	defer cancel()
	var out bytes.Buffer
	env := environment(nil)
	env[0] += ":" + helpers // PATH
	err := s.sandbox.Run(ctx, sandbox.Command{
		Args: []string{"/bin/sh", "-c", command}, Env: env, Dir: suiteDir, Stdout: &limited{to: &out, left: shellOutput},
	})
	if errors.As(err, new(*sandbox.ExitError)) {
		err = nil
	}
	return out.String(), err
}

// present returns the names of files that exist in the copy of the source tree. A
// file that is too large to be compared is an error.
func (s *server) present(ctx context.Context, names []string) ([]string, error) {
	var out bytes.Buffer
	if err := s.sandbox.Run(ctx, sandbox.Command{
		Args: append([]string{"/bin/sh", "-c", `for f; do if [ -f "$f" ]; then echo "$(wc -c <"$f") $f"; fi; done`, "sh"}, names...),
		Env:  environment(nil), Dir: suiteDir, Stdout: &out,
	}); err != nil {
		return nil, err
	}
	var there []string
	for line := range strings.Lines(out.String()) {
		size, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if n, err := strconv.Atoi(size); err != nil || n > maxText {
			return nil, tooLarge(name)
		}
		there = append(there, name)
	}
	return there, nil
}

// diff compares two files and writes their difference.
func (s *server) diff(ctx context.Context, to io.Writer, args ...string) (same bool, err error) {
	err = runProgram(ctx, s.sandbox, sandbox.Command{
		Args: append([]string{"/usr/bin/diff"}, args...), Env: environment([]string{"LC_ALL=C"}), Dir: suiteDir, Stdout: to,
	})
	var exit *sandbox.ExitError
	if errors.As(err, &exit) && exit.Code == 1 {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("comparing results: %w", err)
	}
	return true, nil
}
