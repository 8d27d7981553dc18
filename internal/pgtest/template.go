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

// templateKind names the cache records that lead from a root to the tar
// archive of its initialised cluster. Its number goes up with the arguments of
// initdb.
const templateKind = "pgdata-1"

// dataDir is where the cluster lies in the sandbox.
const dataDir = rootfs.Home + "/data"

// memory are the writable file systems of a sandbox that runs PostgreSQL.
var memory = []sandbox.Tmpfs{
	{Path: "/tmp", Mode: 0o777 | os.ModeSticky},
	{Path: "/run"},
	{Path: "/run/postgresql", Owned: true},
	{Path: rootfs.Home, Owned: true, Size: 4 << 30},
	{Path: "/extensions", Size: 1 << 20},
}

// spec is a sandbox in the root.
func (in Input) spec() sandbox.Spec {
	return sandbox.Spec{Root: in.Root, User: rootfs.User, Tmpfs: memory, Emulator: in.Emulator}
}

// bin returns the path of a program of PostgreSQL in the root.
func bin(major int, name string) string {
	return fmt.Sprintf("/usr/lib/postgresql/%d/bin/%s", major, name)
}

// template returns the tar archive of a freshly initialised cluster, which is
// made when the cache has none. The caller closes it.
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

// initialise runs initdb as CloudNativePG does and keeps what it makes as a
// blob, whose digest it returns.
func initialise(ctx context.Context, c *cache.Cache, in Input) (string, error) {
	s, err := sandbox.Open(ctx, in.spec())
	if err != nil {
		return "", err
	}
	defer s.Close()
	var out bytes.Buffer
	if err := s.Run(ctx, sandbox.Command{
		Args: []string{
			bin(in.Postgres, "initdb"), "--pgdata=" + dataDir, "--username=postgres", "--auth=trust",
			"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
		},
		Env: environment(nil), Stdout: &out, Stderr: &out,
	}); err != nil {
		return "", fmt.Errorf("%w\n%s", err, bytes.TrimSpace(out.Bytes()))
	}
	w, err := c.Create()
	if err != nil {
		return "", err
	}
	defer w.Abort()
	out.Reset()
	if err := s.Run(ctx, sandbox.Command{
		Args:   []string{"/usr/bin/tar", "--create", "--directory=" + rootfs.Home, path.Base(dataDir)},
		Env:    environment(nil),
		Stdout: w, Stderr: &out,
	}); err != nil {
		return "", fmt.Errorf("%w\n%s", err, bytes.TrimSpace(out.Bytes()))
	}
	sum, _, err := w.Commit("")
	return sum, err
}

// environment is that of every program in the sandbox, and more.
func environment(more []string) []string {
	return append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + rootfs.Home, "LANG=C.UTF-8", "TZ=Etc/UTC", "USER=postgres",
	}, more...)
}
