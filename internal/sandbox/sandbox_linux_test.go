package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgext/pgext/internal/oracle"
)

// Started as root, the tests run twice: as root, and as an unprivileged user in a
// second process, which gets these variables.
const (
	boxVariable     = "PGEXT_SANDBOX_BOX"
	againVariable   = "PGEXT_SANDBOX_AGAIN"
	victimVariable  = "PGEXT_SANDBOX_VICTIM"
	unprivileged    = 65534
	commandUser     = 26
	longEnough      = 10 * time.Second
	victimIsWaiting = "waiting\n"
	// limitedVariable is set in a user namespace in which no other is allowed.
	limitedVariable = "PGEXT_SANDBOX_LIMITED"
)

func TestMain(m *testing.M) {
	Init()
	if dir := os.Getenv(victimVariable); dir != "" {
		victim(dir)
	}
	os.Exit(m.Run())
}

// box returns the folder of the program that the tests run.
func box(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv(boxVariable); dir != "" {
		return dir
	}
	dir := open755(t)
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "box"), "./testdata/box")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building box: %v\n%s", err, out)
	}
	return dir
}

// open755 returns a temporary folder that every user can read.
func open755(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sandbox") //nolint:usetesting // t.TempDir lies in a folder that only its owner may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// rootFS makes a root file system that has the program box.
func rootFS(t *testing.T, boxDir string) Spec {
	t.Helper()
	root := open755(t)
	for _, dir := range []string{"bin", "dev", "proc", "tmp", "run", "extensions", "etc"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(filepath.Join(boxDir, "box"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "bin/box"), data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	return Spec{Root: root, User: commandUser, Tmpfs: []Tmpfs{
		{Path: "/tmp", Mode: 0o777 | os.ModeSticky},
		{Path: "/run"},
		{Path: "/run/own", Owned: true, Mode: 0o700, Size: 1 << 20},
		{Path: "/extensions"},
	}}
}

// everyUser runs test as the current user and, if that is root, once more as an
// unprivileged user.
func everyUser(t *testing.T, test func(t *testing.T, spec Spec)) {
	t.Helper()
	boxDir := box(t)
	if os.Getenv(againVariable) != "" {
		test(t, rootFS(t, boxDir))
		return
	}
	t.Run("self", func(t *testing.T) { test(t, rootFS(t, boxDir)) })
	if os.Geteuid() != 0 {
		return
	}
	t.Run("unprivileged", func(t *testing.T) { again(t, asUnprivileged, againVariable+"=1", boxVariable+"="+boxDir) })
}

// sandbox opens a sandbox for the time of the test.
func sandbox(t *testing.T, spec Spec) *Sandbox {
	t.Helper()
	s, err := Open(t.Context(), spec)
	var refused *UnavailableError
	if errors.As(err, &refused) {
		oracle.Missing(t, "a user namespace", err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// output runs box and returns what it wrote.
func output(t *testing.T, s *Sandbox, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := s.Run(t.Context(), Command{Args: append([]string{"/bin/box"}, args...), Stdout: &out, Stderr: &out})
	return out.String(), err
}

func TestFileSystem(t *testing.T) {
	everyUser(t, func(t *testing.T, spec Spec) {
		t.Helper()
		image := open755(t)
		if err := os.WriteFile(filepath.Join(image, "file"), []byte("of the host"), 0o644); err != nil {
			t.Fatal(err)
		}
		spec.Binds = []Bind{{image, "/extensions/x/y"}}
		s := sandbox(t, spec)
		for _, tc := range []struct {
			args []string
			want string
			fail bool
		}{
			{args: []string{"list", "/"}, want: "bin\ndev\netc\nextensions\nlink\nproc\nrun\ntmp\n"},
			{args: []string{"cat", "/extensions/x/y/file"}, want: "of the host"},
			{args: []string{"write", "/extensions/x/y/file"}, want: "open /extensions/x/y/file: read-only file system\n", fail: true},
			{args: []string{"write", "/bin/box"}, want: "open /bin/box: read-only file system\n", fail: true},
			{args: []string{"write", "/extensions/new"}, want: "open /extensions/new: permission denied\n", fail: true},
			{args: []string{"write", "/run/own/file"}},
			{args: []string{"cat", "/run/own/file"}, want: "written"},
			{args: []string{"write", "/tmp/file"}},
			{args: []string{"write", "/dev/shm/file"}},
			{args: []string{"write", "/dev/null"}},
			{args: []string{"list", "/dev"}, want: "fd\nfull\nnull\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n"},
		} {
			got, err := output(t, s, tc.args...)
			if tc.args[1] == "/extensions/new" && os.Geteuid() != 0 {
				continue // the only user of a sandbox of one id owns all of it
			}
			if got != tc.want || (err != nil) != tc.fail {
				t.Errorf("%v: got %q, %v, want %q", tc.args, got, err, tc.want)
			}
		}
		if left, err := os.ReadDir(filepath.Join(spec.Root, "run")); err != nil || len(left) > 0 {
			t.Errorf("the host sees %v in /run, %v", left, err)
		}
	})
}

func TestUser(t *testing.T) {
	everyUser(t, func(t *testing.T, spec Spec) {
		t.Helper()
		s := sandbox(t, spec)
		// an ordinary user cannot drop its other groups
		if got, err := output(t, s, "id"); err != nil || !strings.HasPrefix(got, "26 26 26 [") || !strings.HasSuffix(got, "] localhost\n") {
			t.Errorf("id: got %q, %v", got, err)
		}
		status, err := output(t, s, "capabilities")
		for _, set := range []string{"CapPrm", "CapEff", "CapAmb"} {
			if err != nil || !strings.Contains(status, set+":\t0000000000000000\n") {
				t.Errorf("%s is not empty (%v):\n%s", set, err, status)
			}
		}
	})
}

func TestNetworkIsLoopback(t *testing.T) {
	everyUser(t, func(t *testing.T, spec Spec) {
		t.Helper()
		s := sandbox(t, spec)
		if got, err := output(t, s, "listen"); err != nil {
			t.Errorf("over loopback: %v: %s", err, got)
		}
		if got, err := output(t, s, "dial", "192.0.2.1:80"); err == nil || !strings.Contains(got, "unreachable") {
			t.Errorf("beyond loopback: got %q, %v, want an unreachable network", got, err)
		}
	})
}

func TestCommands(t *testing.T) {
	everyUser(t, func(t *testing.T, spec Spec) {
		t.Helper()
		s := sandbox(t, spec)
		var out bytes.Buffer
		text := strings.Repeat("through a pipe ", 100000)
		err := s.Run(t.Context(), Command{Args: []string{"/bin/box", "copy"}, Stdin: strings.NewReader(text), Stdout: &out})
		if err != nil || out.String() != text {
			t.Errorf("copy: %v, %d bytes of %d", err, out.Len(), len(text))
		}
		out.Reset()
		if err := s.Run(t.Context(), Command{Args: []string{"/bin/box", "environment"}, Env: []string{"A=b"}, Stdout: &out}); err != nil || out.String() != "[A=b]\n" {
			t.Errorf("environment: got %q, %v", out.String(), err)
		}
		for _, tc := range []struct {
			args []string
			want ExitError
		}{
			{[]string{"exit", "7"}, ExitError{Program: "/bin/box", Code: 7}},
			{[]string{"kill"}, ExitError{Program: "/bin/box", Signal: 9}},
		} {
			_, err := output(t, s, tc.args...)
			var got *ExitError
			if !errors.As(err, &got) {
				t.Errorf("%v: got %v", tc.args, err)
			} else if diff := cmp.Diff(*got, tc.want); diff != "" {
				t.Errorf("%v (-got +want):\n%s", tc.args, diff)
			}
		}
		if err := s.Run(t.Context(), Command{Args: []string{"/bin/absent"}}); err == nil || !strings.Contains(err.Error(), "no such file") {
			t.Errorf("a program that is not there: got %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := s.Run(ctx, Command{Args: []string{"/bin/box", "wait"}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("past its time: got %v", err)
		}
	})
}

func TestSignal(t *testing.T) {
	everyUser(t, func(t *testing.T, spec Spec) {
		t.Helper()
		s := sandbox(t, spec)
		lines := make(lineWriter, 8)
		p, err := s.Start(Command{Args: []string{"/bin/box", "wait"}, Stdout: lines})
		if err != nil {
			t.Fatal(err)
		}
		if got := <-lines; got != victimIsWaiting {
			t.Errorf("got %q", got)
		}
		if err := p.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := p.Wait(); err != nil {
			t.Errorf("after a signal it handles: %v", err)
		}
		if got := <-lines; got != "stopping\n" {
			t.Errorf("got %q", got)
		}
	})
}

type lineWriter chan string

func (w lineWriter) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

// TestHeldOutput: a process that a command started does not delay its owner for
// long, and is killed with the command.
func TestHeldOutput(t *testing.T) {
	everyUser(t, func(t *testing.T, spec Spec) {
		t.Helper()
		s := sandbox(t, spec)
		start := func(session, then string) *Process {
			t.Helper()
			r, w := io.Pipe()
			p, err := s.Start(Command{Args: []string{"/bin/box", "hold", session, then}, Stdout: w})
			if err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(r).ReadString('\n') // of the child
			if err != nil || line != victimIsWaiting {
				t.Fatalf("got %q, %v", line, err)
			}
			go io.Copy(io.Discard, r)
			return p
		}
		if err := start("alone", "go").wait(time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "box ended, but a process that it started still holds its output after 1ms") {
			t.Errorf("a child that stays: got %v", err)
		}
		p, begun := start("together", "stay"), time.Now()
		if err := p.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		var exit *ExitError
		if err := p.wait(longEnough); !errors.As(err, &exit) || exit.Signal != int(syscall.SIGKILL) || time.Since(begun) >= longEnough {
			t.Errorf("a child that is killed as well: got %v after %v", err, time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		begun = time.Now()
		err := s.Run(ctx, Command{Args: []string{"/bin/box", "hold", "alone", "stay"}, Stdout: &bytes.Buffer{}})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) >= longEnough {
			t.Errorf("out of time: got %v after %v", err, time.Since(begun))
		}
	})
}

func TestSpecErrors(t *testing.T) {
	for _, tc := range []struct {
		name string
		spec Spec
		want string
	}{
		{"root", Spec{User: 0}, "running as user 0 in a sandbox: not an ordinary user"},
		{"relative", Spec{User: 1, Binds: []Bind{{"/x", "y"}}}, `mounting at "y": not a clean absolute path`},
		{"escaping", Spec{User: 1, Tmpfs: []Tmpfs{{Path: "/a/../.."}}}, `mounting at "/a/../..": not a clean absolute path`},
		{"relative emulator", Spec{User: 1, Emulator: &Emulator{Path: "qemu"}}, `emulator "qemu": not an absolute path without colons`},
		{"emulator with a colon", Spec{User: 1, Emulator: &Emulator{Path: "/a:b"}}, `emulator "/a:b": not an absolute path without colons`},
	} {
		if _, err := Open(t.Context(), tc.spec); err == nil || err.Error() != tc.want {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.want)
		}
	}
}

func TestMountsDoNotFollowLinks(t *testing.T) {
	everyUser(t, func(t *testing.T, spec Spec) {
		t.Helper()
		sandbox(t, spec).Close() // skips where there are none
		spec.Tmpfs = append(spec.Tmpfs, Tmpfs{Path: "/link/x"})
		if s, err := Open(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "link is not a folder") {
			t.Errorf("got %v, %v", s, err)
		}
		for _, name := range []string{"dev", "proc"} {
			spec := rootFS(t, box(t))
			at := filepath.Join(spec.Root, name)
			if err := errors.Join(os.Remove(at), os.Symlink("/etc", at)); err != nil {
				t.Fatal(err)
			}
			if s, err := Open(t.Context(), spec); err == nil || !strings.Contains(err.Error(), name+" is not a folder") {
				t.Errorf("%s: got %v, %v", name, s, err)
			}
		}
	})
}

// TestWithoutUserNamespaces: where user namespaces are forbidden, root gets a
// sandbox without one, and other users get an error with the setting. The test
// forbids them in a user namespace of its own.
func TestWithoutUserNamespaces(t *testing.T) {
	if os.Getenv(limitedVariable) != "" {
		testLimited(t)
		return
	}
	if os.Geteuid() != 0 {
		oracle.Missing(t, "root", "somebody else")
	}
	boxDir := box(t)
	all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: unprivileged + 1}}
	again(t, &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, UidMappings: all, GidMappings: all, GidMappingsEnableSetgroups: true,
	}, limitedVariable+"=root", boxVariable+"="+boxDir)
}

func testLimited(t *testing.T) {
	t.Helper()
	spec := rootFS(t, box(t))
	if os.Getenv(limitedVariable) == "unprivileged" {
		_, err := Open(t.Context(), spec)
		var refused *UnavailableError
		if !errors.As(err, &refused) || refused.Setting != "user.max_user_namespaces is 0" {
			t.Errorf("got %v", err)
		}
		return
	}
	if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := output(t, s, "id"); err != nil || got != "26 26 26 [] localhost\n" {
		t.Errorf("id: got %q, %v", got, err)
	}
	again(t, asUnprivileged, limitedVariable+"=unprivileged", boxVariable+"="+box(t))
}

// asUnprivileged are the attributes of a process without privileges.
var asUnprivileged = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}

// again runs the calling test in another process, with env.
func again(t *testing.T, attr *syscall.SysProcAttr, env ...string) {
	t.Helper()
	name, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.Command("/proc/self/exe", "-test.run", "^"+name+"$", "-test.v")
	cmd.Env = append(env, "TMPDIR="+os.TempDir(), "PGEXT_ORACLES="+os.Getenv("PGEXT_ORACLES"))
	cmd.Dir = "/"
	cmd.SysProcAttr = attr
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+name) {
		t.Errorf("again with %q: %v\n%s", env, err, out)
	}
}

// victim makes a sandbox with processes in it, for TestKilled.
func victim(boxDir string) {
	t := &testing.T{}
	s, err := Open(context.Background(), rootFS(t, boxDir))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if err := s.Run(context.Background(), Command{Args: []string{"/bin/box", "family"}}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	err = s.Run(context.Background(), Command{Args: []string{"/bin/box", "wait"}, Stdout: os.Stdout})
	fmt.Println(err)
	os.Exit(1)
}

// TestKilled: when the owner of a sandbox is killed, its processes and mounts
// disappear.
func TestKilled(t *testing.T) {
	everyUser(t, func(t *testing.T, spec Spec) {
		t.Helper()
		sandbox(t, spec).Close() // skips where there are none
		boxDir := box(t)
		cmd := exec.Command("/proc/self/exe")
		tmp := open755(t)
		cmd.Env = []string{victimVariable + "=" + boxDir, "TMPDIR=" + tmp}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 512)
		if n, err := out.Read(buf); string(buf[:n]) != victimIsWaiting {
			t.Fatalf("the victim wrote %q, %v", buf[:n], err)
		}
		if got := len(rootedIn(tmp)); got < 2 {
			t.Errorf("%d processes in the sandbox, want its commands", got)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		for deadline := time.Now().Add(longEnough); len(rootedIn(tmp)) > 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("processes that outlive their sandbox: %v", rootedIn(tmp))
			}
		}
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil || strings.Contains(string(mounts), tmp) {
			t.Errorf("mounts below %s remain, %v", tmp, err)
		}
	})
}

// rootedIn returns the command lines of the processes that see a file of dir
// as their root's /bin/box.
func rootedIn(dir string) []string {
	boxes, _ := filepath.Glob(dir + "/*/bin/box")
	var out []string
	for _, b := range boxes {
		want, err := os.Stat(b)
		if err != nil {
			continue
		}
		exes, _ := filepath.Glob("/proc/[0-9]*/exe")
		for _, exe := range exes {
			if got, err := os.Stat(exe); err == nil && os.SameFile(got, want) {
				line, _ := os.ReadFile(filepath.Join(filepath.Dir(exe), "cmdline"))
				out = append(out, strings.ReplaceAll(string(line), "\x00", " "))
			}
		}
	}
	return out
}
