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

// stepPrivate is the name of the first step that needs a capability.
const stepPrivate = "making mounts private"

// prepare sets up the mounts, the network and the limits that s describes, in the
// new namespaces of this process. step is the name of the step that failed.
func prepare(s setup) (step string, err error) {
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
			return step.name, err
		}
	}
	return "", nil
}

// mounter mounts below root, before it is entered.
type mounter struct {
	root string
	// user is the owner of Owned file systems; 0 in a sandbox of one id.
	user int
}

// place returns the host's path of target, and makes the folder if it is missing.
// A symbolic link in the path is an error, since it could leave the root.
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
			return "", fmt.Errorf("%s: %s is not a folder", target, at)
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
	// in a user namespace the flags of the host's mount cannot be cleared
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

// proc mounts /proc. A container that hides parts of its own /proc forbids it.
// PostgreSQL works without /proc; a nested user namespace needs it.
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

// enter makes the root the only visible file system (pivot_root(2), notes on
// pivot_root(".", ".")).
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

// limits sets resource limits: no core files, at most 4096 open files a process.
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
