package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/rootfs"
	"github.com/pgext/pgext/internal/sandbox"
)

// templateKind is the kind of cache records from a root to the tar archive of its
// initialised cluster. Its number must be incremented with the arguments of initdb.
const templateKind = "pgdata-1"

// dataDir is the data directory of the cluster in the sandbox.
const dataDir = rootfs.Home + "/data"

// memory are the writable file systems of a sandbox with PostgreSQL.
var memory = []sandbox.Tmpfs{
	{Path: "/tmp", Mode: 0o777 | os.ModeSticky},
	{Path: "/run"},
	{Path: "/run/postgresql", Owned: true},
	{Path: rootfs.Home, Owned: true, Size: 4 << 30},
	{Path: "/extensions", Size: 1 << 20},
}

// spec returns the sandbox of the root.
func (in Input) spec() sandbox.Spec {
	return sandbox.Spec{Root: in.Root, User: rootfs.User, Tmpfs: memory, Emulator: in.Emulator}
}

// bin returns the path of a program of PostgreSQL in the root.
func bin(major int, name string) string {
	return fmt.Sprintf("/usr/lib/postgresql/%d/bin/%s", major, name)
}

// template returns the tar archive of a new cluster, from the cache if it has one.
// The caller closes it.
func template(ctx context.Context, c *cache.Cache, in Input) (io.ReadCloser, error) {
	key := filepath.Base(in.Root)
	if sum, ok := c.Record(templateKind, key); ok {
		f, err := c.Open(string(sum))
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	sum, err := initialise(ctx, c, in)
	if err != nil {
		return nil, fmt.Errorf("initialising a cluster: %w", err)
	}
	if err := c.PutRecord(templateKind, key, []byte(sum)); err != nil {
		return nil, err
	}
	return c.Open(sum)
}

// initialise runs initdb as CloudNativePG does, stores a tar archive of the cluster
// in the cache and returns its digest.
func initialise(ctx context.Context, c *cache.Cache, in Input) (string, error) {
	s, err := sandbox.Open(ctx, in.spec())
	if err != nil {
		return "", err
	}
	defer s.Close()
	if err := runProgram(ctx, s, sandbox.Command{Args: []string{
		bin(in.Postgres, "initdb"), "--pgdata=" + dataDir, "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
	}}); err != nil {
		return "", err
	}
	w, err := c.Create()
	if err != nil {
		return "", err
	}
	defer w.Abort()
	if err := runProgram(ctx, s, sandbox.Command{
		Args: []string{"/usr/bin/tar", "--create", "--directory=" + rootfs.Home, path.Base(dataDir)}, Stdout: w,
	}); err != nil {
		return "", err
	}
	sum, _, err := w.Commit("")
	return sum, err
}

// runProgram runs a program in the environment of all programs, unless c has its
// own. The error ends with what the program wrote to its standard error.
func runProgram(ctx context.Context, s *sandbox.Sandbox, c sandbox.Command) error {
	var problems bytes.Buffer
	c.Stderr = &limited{to: &problems, left: maxOutput}
	if c.Env == nil {
		c.Env = environment(nil)
	}
	err := s.Run(ctx, c)
	if text := bytes.TrimSpace(problems.Bytes()); err != nil && len(text) > 0 {
		return fmt.Errorf("%w\n%s", err, text)
	}
	return err
}

// environment returns the environment of all programs in the sandbox, and more.
func environment(more []string) []string {
	return append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + rootfs.Home, "LANG=C.UTF-8", "TZ=Etc/UTC", "USER=postgres",
	}, more...)
}
