package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// initName is what the first process of a sandbox is called.
const initName = "pgext-sandbox-init"

// Sandbox is a root file system with its own processes. Its methods may be
// called by several goroutines.
type Sandbox struct {
	conn *net.UnixConn
	// gone is closed when the first process has ended; stderr is what it said.
	gone   chan struct{}
	stderr *tail

	mu        sync.Mutex
	next      int
	processes map[int]*Process
}

// Open makes a sandbox. Close ends it; so does the end of this process, in
// whatever way. Where the machine does not allow one the error is an
// *UnavailableError.
func Open(ctx context.Context, spec Spec) (*Sandbox, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	s, err := open(ctx, spec, true)
	var refused *UnavailableError
	if errors.As(err, &refused) && os.Geteuid() == 0 && spec.Emulator == nil {
		// root may do without a user namespace, unless its register of
		// emulators would be the machine's
		if again, err := open(ctx, spec, false); err == nil {
			return again, nil
		}
	}
	return s, err
}

func open(ctx context.Context, spec Spec, userNamespace bool) (*Sandbox, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("making a sandbox: %w", err)
	}
	s := &Sandbox{conn: ours, gone: make(chan struct{}), stderr: &tail{}, processes: map[int]*Process{}}
	many := !userNamespace || canMap(spec.User)
	err = s.spawn(theirs, attributes(spec.User, userNamespace, many))
	theirs.Close()
	if err != nil {
		s.hangUp()
		return nil, unavailable(os.DirFS("/proc/sys"), err)
	}
	if err := s.setup(ctx, setup{spec, many}); err != nil {
		s.Close()
		return nil, err
	}
	go s.listen()
	return s, nil
}

// spawn starts the first process. The thread that does so lives as long as the
// process, whose parent it is (PR_SET_PDEATHSIG of prctl(2) means the thread).
func (s *Sandbox) spawn(socket *os.File, attr *syscall.SysProcAttr) error {
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{initName}, Env: []string{}, Dir: "/",
		ExtraFiles: []*os.File{socket}, Stderr: s.stderr, SysProcAttr: attr,
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended does not matter
			close(s.gone)
		}
	}()
	return <-started
}

// attributes are those of the first process.
func attributes(user int, userNamespace, many bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true,
	}
	if !userNamespace {
		return a
	}
	a.Cloneflags |= syscall.CLONE_NEWUSER
	a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	if many {
		own := syscall.SysProcIDMap{ContainerID: user, HostID: user, Size: 1}
		a.UidMappings = append(a.UidMappings, own)
		a.GidMappings = append(a.GidMappings, own)
		a.GidMappingsEnableSetgroups = true
	}
	return a
}

// setup has the first process prepare the file system. Being refused what only
// the owner of a user namespace may do means that there is no real one.
func (s *Sandbox) setup(ctx context.Context, what setup) error {
	stop := context.AfterFunc(ctx, s.hangUp)
	defer stop()
	if err := send(s.conn, request{Setup: &what}); err != nil {
		return s.lost(err)
	}
	var e event
	if err := receive(s.conn, &e); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return s.lost(err)
	}
	switch errno := syscall.Errno(e.Errno); {
	case e.Error == "":
		return nil
	case e.Step == stepEmulator:
		return &EmulatorError{Emulator: what.Spec.Emulator.Path, Reason: e.Error}
	case errno == syscall.EPERM || errno == syscall.EACCES && e.Step == stepPrivate:
		return unavailable(os.DirFS("/proc/sys"), fmt.Errorf("%s: %w", e.Step, errno))
	default:
		return fmt.Errorf("making a sandbox: %s: %s", e.Step, e.Error)
	}
}

// lost explains that the first process is not there any more.
func (s *Sandbox) lost(err error) error {
	s.hangUp()
	<-s.gone
	if text := s.stderr.String(); text != "" {
		return fmt.Errorf("the sandbox ended: %s", text)
	}
	return fmt.Errorf("the sandbox ended: %w", err)
}

// listen gives every process its end.
func (s *Sandbox) listen() {
	for {
		var e event
		err := receive(s.conn, &e)
		s.mu.Lock()
		if err != nil {
			for _, p := range s.processes {
				p.finish(event{Error: "the sandbox ended"})
			}
			s.processes = nil
			s.mu.Unlock()
			return
		}
		if p := s.processes[e.ID]; p != nil {
			delete(s.processes, e.ID)
			p.finish(e)
		}
		s.mu.Unlock()
	}
}

// hangUp ends the first process, and with it all others.
func (s *Sandbox) hangUp() {
	_ = s.conn.Close() // it may have been closed before
}

// Close kills every process of the sandbox, and returns when all are gone.
func (s *Sandbox) Close() {
	s.hangUp()
	<-s.gone
}

// socketPair returns both ends of a connection that keeps packets apart.
func socketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	theirs = os.NewFile(uintptr(fds[1]), "sandbox")
	f := os.NewFile(uintptr(fds[0]), "sandbox")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// send writes a document, with files beside it.
func send(conn *net.UnixConn, document any, files ...*os.File) error {
	data, err := json.Marshal(document)
	if err != nil {
		return err
	}
	if len(data) > maxPacket {
		return fmt.Errorf("a command of %d bytes is longer than %d", len(data), maxPacket)
	}
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		rights = unix.UnixRights(fds...)
	}
	_, _, err = conn.WriteMsgUnix(data, rights, nil)
	runtime.KeepAlive(files)
	return err
}

// receive reads a document that has no files beside it.
func receive(conn *net.UnixConn, document any) error {
	data := make([]byte, maxPacket)
	n, err := conn.Read(data)
	if err != nil {
		return err
	}
	if n == 0 {
		return io.EOF
	}
	return json.Unmarshal(data[:n], document)
}

// tail keeps the first bytes that are written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[:min(len(p), 4096-len(t.text))]...)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
