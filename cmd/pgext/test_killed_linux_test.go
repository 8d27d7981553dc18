package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pgext/pgext/internal/pgtest"
)

// ordinary is a user without any privilege.
const ordinary = 65534

// TestLiveKilled kills pgext in the middle of tests, as it is and as an ordinary
// user: no process stays, no mount, and after the next start no file.
func TestLiveKilled(t *testing.T) {
	cache := liveCache(t)
	if code, stdout, stderr := live(t, "test", liveRecipe(t, "pgvector", ""), "--output", t.TempDir()); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err) // orphans become children of this process
	}
	defer unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
	t.Run("self", func(t *testing.T) { newVictim(t, os.Geteuid(), cache).killAll(t) })
	if os.Geteuid() == 0 {
		t.Run("ordinary user", func(t *testing.T) { newVictim(t, ordinary, cache).killAll(t) })
	}
}

// victim is how pgext is started that will be killed.
type victim struct {
	user int
	// dir holds all that it may write to: cache, dist, recipe, tmp.
	dir string
}

// newVictim gives a user a copy of a cache.
func newVictim(t *testing.T, user int, cache string) victim {
	t.Helper()
	dir, err := os.MkdirTemp("", "killed") //nolint:usetesting // t.TempDir lies in a folder that only its owner may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	v := victim{user: user, dir: dir}
	if err := v.adopt(cache, filepath.Join(dir, "cache")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".", "recipe", "tmp"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, name), 0o755), v.own(filepath.Join(dir, name))); err != nil {
			t.Fatal(err)
		}
	}
	recipe, err := os.ReadFile(liveRecipe(t, "pgvector", ""))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "recipe/recipe.yaml"), recipe, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (v victim) own(path string) error {
	return errors.Join(os.Chmod(path, 0o755), os.Lchown(path, v.user, v.user))
}

// adopt links the files of a folder into one of v's.
func (v victim) adopt(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // somebody else's temporary file
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		at := filepath.Join(to, name)
		switch {
		case d.IsDir():
			return errors.Join(os.MkdirAll(at, 0o755), v.own(at))
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			return errors.Join(err, os.Symlink(target, at))
		case d.Type().IsRegular() && filepath.Base(filepath.Dir(path)) != "tmp":
			if err := os.Link(path, at); !errors.Is(err, syscall.EXDEV) {
				return err
			}
			return copyFile(path, at)
		}
		return nil
	})
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return err
	}
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}

// command tries pgvector out.
func (v victim) command() *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"pgext", "test", "recipe/recipe.yaml", "--output", "dist", "--allow-expired", "--cache-dir", "cache", "-v"}
	cmd.Dir, cmd.Env = v.dir, append(os.Environ(), "HOME="+v.dir, "TMPDIR="+filepath.Join(v.dir, "tmp"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if v.user != os.Geteuid() {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(v.user), Gid: uint32(v.user)}
	}
	return cmd
}

// killAll kills it while a server runs, then at moments of all kinds: it begins
// without what it keeps unpacked.
func (v victim) killAll(t *testing.T) {
	t.Helper()
	v.kill(t, func(stderr io.Reader, pid int) {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if strings.Contains(lines.Text(), string(pgtest.Pass)+" start") {
				break
			}
		}
		if family := descendants(pid); len(family) < 3 {
			t.Errorf("%d processes below pgext, want its sandbox and a server", len(family))
		}
	})
	for _, after := range []time.Duration{100, 300, 600} {
		v.forget(t)
		v.kill(t, func(io.Reader, int) { time.Sleep(after * time.Millisecond) })
	}
	v.forget(t)
	v.backdate(t)
	if out, err := v.command().CombinedOutput(); err != nil {
		t.Errorf("afterwards: %v\n%s", err, out)
	}
	for _, pattern := range []string{"tmp/*", "cache/rootfs-*/tmp-*", "cache/v1/tmp/*", "dist/.pgext-*", "dist/*/.pgext-*", "recipe/.pgext-*"} {
		if left, _ := filepath.Glob(filepath.Join(v.dir, pattern)); len(left) > 0 {
			t.Errorf("left over: %v", left)
		}
	}
}

// kill starts pgext and kills it at the given moment. Nothing of it runs on.
func (v victim) kill(t *testing.T, wait func(stderr io.Reader, pid int)) {
	t.Helper()
	cmd := v.command()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait(stderr, cmd.Process.Pid)
	_ = cmd.Process.Kill() // it may have come to its end
	_ = cmd.Wait()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		left := descendants(os.Getpid())
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("processes that outlive pgext: %v", left)
		}
	}
	if mounts, err := os.ReadFile("/proc/self/mountinfo"); err != nil || strings.Contains(string(mounts), v.dir) {
		t.Errorf("mounts remain: %v", err)
	}
}

// forget removes the unpacked images.
func (v victim) forget(t *testing.T) {
	t.Helper()
	unpacked, _ := filepath.Glob(filepath.Join(v.dir, "cache/rootfs-*/image-*"))
	for _, dir := range append(unpacked, filepath.Join(v.dir, "dist")) {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// backdate makes what is left in the cache look old enough to be removed.
func (v victim) backdate(t *testing.T) {
	t.Helper()
	left, _ := filepath.Glob(filepath.Join(v.dir, "cache/v1/tmp/*"))
	for _, file := range left {
		at := time.Now().Add(-time.Hour)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

// descendants are the processes that pid started, and those that they did.
func descendants(pid int) []int {
	var out []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				out = append(append(out, child), descendants(child)...)
			}
		}
	}
	return out
}
