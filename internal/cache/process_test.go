package cache_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pgext/pgext/internal/cache"
)

// The test binary runs itself again as another process that shares the cache.
const childEnv = "PGEXT_TEST_CHILD"

func TestMain(m *testing.M) {
	if role := os.Getenv(childEnv); role != "" {
		run := children[role]
		if run == nil {
			run = mountChildren[role]
		}
		if err := run(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var children = map[string]func(dir string) error{
	"share": childShare,
	"hang":  childHang,
}

func child(t *testing.T, role, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, dir)
	cmd.Env = append(os.Environ(), childEnv+"="+role)
	return cmd
}

var shared = bytes.Repeat([]byte("shared"), 100_000)

// childShare writes, replaces and reads what its siblings write, replace and
// read at the same time.
func childShare(dir string) error {
	for range 20 {
		c, err := cache.Open(dir)
		if err != nil {
			return err
		}
		sha, err := write(c, shared, digest(shared))
		if err != nil {
			return err
		}
		if s, err := read(c, sha); err != nil || s != string(shared) {
			return fmt.Errorf("reading: %d bytes, %w", len(s), err)
		}
		if err := c.PutRecord("kind", "key", shared); err != nil {
			return err
		}
		if got, ok := c.Record("kind", "key"); !ok || !bytes.Equal(got, shared) {
			return fmt.Errorf("record: %d bytes, %v", len(got), ok)
		}
	}
	return nil
}

func TestManyProcesses(t *testing.T) {
	dir := t.TempDir()
	var running []*exec.Cmd
	for range 4 {
		cmd := child(t, "share", dir)
		cmd.Stderr = t.Output()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, cmd)
	}
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("files = %v", got)
	}
}

// childHang writes half a blob, says so, and waits to be killed.
func childHang(dir string) error {
	c, err := cache.Open(dir)
	if err != nil {
		return err
	}
	w, err := c.Create()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, "half a blob"); err != nil {
		return err
	}
	fmt.Println("ready")
	time.Sleep(time.Hour) // without a timer the runtime would end the process: nothing else runs
	return nil
}

func TestKilledInTheMiddle(t *testing.T) {
	dir := t.TempDir()
	cmd := child(t, "hang", dir)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	left := files(t, dir)
	if len(left) != 1 {
		t.Fatalf("files = %v, want one temporary file", left)
	}
	temporary := filepath.Join(dir, left[0])
	age(t, temporary)
	open(t, dir)
	if got := files(t, dir); !slices.Equal(got, left) {
		t.Errorf("files = %v: the temporary file of a living process is gone", got)
	}

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // killed
	if c := open(t, dir); len(files(t, filepath.Join(c.Dir(), "v1", "blobs"))) != 0 {
		t.Error("a blob appeared")
	}
	if got := files(t, dir); got != nil {
		t.Errorf("files = %v: the temporary file of a dead process stays", got)
	}
}

func TestYoungLeftoversStay(t *testing.T) {
	dir := t.TempDir()
	tmp := filepath.Join(dir, "v1", "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tmp, "young"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if got := files(t, tmp); len(got) != 1 {
		t.Errorf("files = %v", got)
	}
}

func age(t *testing.T, path string) {
	t.Helper()
	then := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}
