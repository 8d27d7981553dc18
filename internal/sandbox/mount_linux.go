package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// stepError says what was being prepared.
type stepError struct {
	step string
	err  error
}

func (e *stepError) Error() string { return e.step + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// stepPrivate is the first step that takes a capability.
const stepPrivate = "making mounts private"

// prepare turns the namespaces that the process was born into into the sandbox
// that s describes.
func prepare(s setup) error {
	unix.Umask(0o022)
	m := mounter{root: s.Spec.Root}
	if s.Many {
		m.user = s.Spec.User
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{stepPrivate, func() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") }},
		{"mounting the root", func() error { return m.bind(s.Spec.Root, s.Spec.Root) }},
		{"mounting /proc", func() error { return m.proc(s.Many) }},
		{"mounting /dev", m.dev},
		{stepEmulator, func() error { return m.emulator(s.Spec.Emulator) }},
		{"mounting file systems in memory", func() error { return m.memory(s.Spec.Tmpfs) }},
		{"mounting folders", func() error { return m.binds(s.Spec.Binds) }},
		{"entering the root", m.enter},
		{"raising the loopback interface", loopback},
		{"setting the host name", func() error { return unix.Sethostname([]byte(cmp.Or(s.Spec.Hostname, "localhost"))) }},
		{"setting limits", limits},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return &stepError{step.name, err}
		}
	}
	return nil
}

// mounter mounts below root, before it is entered.
type mounter struct {
	root string
	// user owns what is the user's; in a sandbox of one id that is 0.
	user int
}

// place returns where target is as the host sees it, and makes the folder when
// it is missing. A symbolic link on the way would lead out of the root.
func (m mounter) place(target string) (string, error) {
	at := m.root
	for _, part := range strings.Split(strings.TrimPrefix(target, "/"), "/") {
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, os.ErrNotExist):
			if err := os.Mkdir(at, 0o755); err != nil {
				return "", fmt.Errorf("%s: %w", target, err)
			}
		case err != nil:
			return "", fmt.Errorf("%s: %w", target, err)
		case !info.IsDir():
			return "", fmt.Errorf("%s: %s is no folder", target, at)
		}
	}
	return at, nil
}

// bind mounts a folder read-only.
func (m mounter) bind(source, at string) error {
	if err := unix.Mount(source, at, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(at, &st); err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	// a user namespace cannot take away the flags that the host's mount has
	flags := uintptr(unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV)
	for st1, ms := range map[uintptr]uintptr{
		unix.ST_NOEXEC: unix.MS_NOEXEC, unix.ST_NOATIME: unix.MS_NOATIME,
		unix.ST_NODIRATIME: unix.MS_NODIRATIME, unix.ST_RELATIME: unix.MS_RELATIME,
	} {
		if uintptr(st.Flags)&st1 != 0 {
			flags |= ms
		}
	}
	if err := unix.Mount("", at, "", flags, ""); err != nil {
		return fmt.Errorf("%s: making it read-only: %w", source, err)
	}
	return nil
}

// proc mounts /proc. A container may forbid it, by hiding parts of its own;
// PostgreSQL does without, but a user namespace of its own cannot be made.
func (m mounter) proc(optional bool) error {
	at, err := m.place("/proc")
	if err != nil {
		return err
	}
	err = unix.Mount("proc", at, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	if optional && errors.Is(err, syscall.EPERM) {
		return nil
	}
	return err
}

func (m mounter) dev() error {
	dev, err := m.place("/dev")
	if err != nil {
		return err
	}
	if err := m.tmpfs(dev, Tmpfs{Size: 1 << 20}); err != nil {
		return err
	}
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		at := filepath.Join(dev, name)
		if err := os.WriteFile(at, nil, 0o666); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+name, at, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for name, target := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(target, filepath.Join(dev, name)); err != nil {
			return err
		}
	}
	shm := filepath.Join(dev, "shm")
	if err := os.Mkdir(shm, 0o755); err != nil {
		return err
	}
	return m.tmpfs(shm, Tmpfs{Mode: 0o777 | os.ModeSticky})
}

func (m mounter) memory(all []Tmpfs) error {
	for _, t := range all {
		at, err := m.place(t.Path)
		if err != nil {
			return err
		}
		if err := m.tmpfs(at, t); err != nil {
			return fmt.Errorf("%s: %w", t.Path, err)
		}
	}
	return nil
}

func (m mounter) tmpfs(at string, t Tmpfs) error {
	mode := uint32(cmp.Or(t.Mode.Perm(), 0o755))
	if t.Mode&os.ModeSticky != 0 {
		mode |= 0o1000
	}
	owner := 0
	if t.Owned {
		owner = m.user
	}
	data := fmt.Sprintf("size=%d,mode=%o,uid=%d,gid=%d", cmp.Or(t.Size, 1<<30), mode, owner, owner)
	return unix.Mount("tmpfs", at, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, data)
}

func (m mounter) binds(all []Bind) error {
	for _, b := range all {
		at, err := m.place(b.Target)
		if err != nil {
			return err
		}
		if err := m.bind(b.Source, at); err != nil {
			return err
		}
	}
	return nil
}

// enter makes the root the only thing there is (pivot_root(2), whose notes
// have the trick with two dots).
func (m mounter) enter() error {
	if err := unix.Chdir(m.root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return err
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	return unix.Chdir("/")
}

// loopback raises lo, the only interface of a new network namespace.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}

// limits keeps a crash from writing a core file, and a loop from filling the
// table of open files.
func limits() error {
	for resource, most := range map[int]uint64{unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: 4096} {
		var l unix.Rlimit
		if err := unix.Getrlimit(resource, &l); err != nil {
			return err
		}
		l.Max = min(l.Max, most)
		l.Cur = min(l.Cur, l.Max)
		if err := unix.Setrlimit(resource, &l); err != nil {
			return err
		}
	}
	return nil
}
