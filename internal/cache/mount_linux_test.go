package cache_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pgext/pgext/internal/cache"
	"github.com/pgext/pgext/internal/oracle"
)

// The children below run in a mount namespace of their own, as root of a user
// namespace where the tests are not run by root.
var mountChildren = map[string]func(dir string) error{
	"full":     childFull,
	"readonly": childReadOnly,
}

func runMounting(t *testing.T, role, dir string) {
	t.Helper()
	cmd := child(t, role, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	err := cmd.Start()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSPC) {
		oracle.Missing(t, "mount-namespace", "not allowed here: "+err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, &stderr)
	}
}

func mount(source, target, kind string, flags uintptr, data string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := syscall.Mount(source, target, kind, flags, data); err != nil {
		return fmt.Errorf("mounting on %s: %w", target, err)
	}
	return nil
}

// checkWriteError wants the words that a user sees.
func checkWriteError(err error, dir string, errno syscall.Errno) error {
	var werr *cache.WriteError
	if !errors.As(err, &werr) || !errors.Is(err, errno) {
		return fmt.Errorf("got error %w, want a WriteError with %w", err, errno)
	}
	if got, want := err.Error(), "writing to the cache "+dir+": "+errno.Error(); got != want {
		return fmt.Errorf("got error %q, want %q", got, want)
	}
	if !strings.Contains(werr.Hint(), "--cache-dir") {
		return fmt.Errorf("hint %q names no flag", werr.Hint())
	}
	return nil
}

func TestFullDisk(t *testing.T) { runMounting(t, "full", t.TempDir()) }

func childFull(dir string) error {
	if err := mount("tmpfs", dir, "tmpfs", 0, "size=512k"); err != nil {
		return err
	}
	c, err := cache.Open(dir)
	if err != nil {
		return err
	}
	small, err := write(c, []byte("small"), "")
	if err != nil {
		return err
	}
	big := make([]byte, 1<<20)
	if _, err := write(c, big, ""); err == nil {
		return errors.New("a blob larger than the disk was written")
	} else if err := checkWriteError(err, dir, syscall.ENOSPC); err != nil {
		return err
	}
	if err := checkWriteError(c.PutRecord("kind", "key", big), dir, syscall.ENOSPC); err != nil {
		return err
	}
	left, err := os.ReadDir(filepath.Join(dir, "v1", "tmp"))
	if err != nil || len(left) != 0 {
		return fmt.Errorf("left in tmp: %v, %w", left, err)
	}
	if s, err := read(c, small); s != "small" {
		return fmt.Errorf("reading on a full disk: %q, %w", s, err)
	}
	_, err = write(c, []byte("there is room again"), "")
	return err
}

func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir)
	put(t, c, []byte("needed"))
	damaged := put(t, c, []byte("damaged"))
	overwrite(t, blobFile(c, damaged), "DAMAGED")
	if err := c.PutRecord("kind", "key", []byte("learnt")); err != nil {
		t.Fatal(err)
	}
	runMounting(t, "readonly", dir)
}

func childReadOnly(dir string) error {
	if err := mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
		return err
	}
	if err := mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return err
	}
	c, err := cache.Open(dir)
	if err != nil {
		return err
	}
	if s, err := read(c, digest([]byte("needed"))); s != "needed" {
		return fmt.Errorf("reading: %q, %w", s, err)
	}
	if got, ok := c.Record("kind", "key"); !ok || string(got) != "learnt" {
		return fmt.Errorf("record: %q, %v", got, ok)
	}
	_, err = read(c, digest([]byte("damaged")))
	var damaged *cache.DamagedError
	if !errors.As(err, &damaged) || !errors.Is(err, fs.ErrNotExist) || damaged.Removed {
		return fmt.Errorf("reading a damaged blob: %w", err)
	}
	_, err = write(c, []byte("new"), "")
	if err := checkWriteError(err, dir, syscall.EROFS); err != nil {
		return err
	}
	if err := checkWriteError(c.PutRecord("kind", "new", nil), dir, syscall.EROFS); err != nil {
		return err
	}
	return openBelowReadOnly(filepath.Join(dir, "absent"))
}

// openBelowReadOnly uses a cache directory that cannot be created.
func openBelowReadOnly(dir string) error {
	c, err := cache.Open(dir)
	if err != nil {
		return err
	}
	if _, err := c.Open(digest(nil)); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening an absent blob: %w", err)
	}
	_, err = c.Create()
	return checkWriteError(err, dir, syscall.EROFS)
}
