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

// initName is the name of the first process of a sandbox (argv[0]).
const initName = "pgext-sandbox-init"

// Sandbox is a root file system with its own processes. Its methods may be
// called by several goroutines.
type Sandbox struct {
	conn *net.UnixConn
	// gone is closed when the first process has ended; stderr has its messages.
	gone   chan struct{}
	stderr *head

	mu        sync.Mutex
	next      int
	processes map[int]*Process
}

// Open makes a sandbox. Close ends it, and so does the end of this process. If
// the machine does not allow sandboxes the error is an *UnavailableError, or an
// *EmulatorError if it does not allow the Emulator.
func Open(ctx context.Context, spec Spec) (*Sandbox, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	s, err := open(ctx, spec, true)
	var refused *UnavailableError
	if errors.As(err, &refused) && os.Geteuid() == 0 && spec.Emulator == nil {
		// root needs no user namespace, unless the emulator would be
		// registered for the whole machine
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
	s := &Sandbox{conn: ours, gone: make(chan struct{}), stderr: &head{}, processes: map[int]*Process{}}
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

// spawn starts the first process. The thread that starts it must live as long as
// the process, since PR_SET_PDEATHSIG (prctl(2)) is about the thread.
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
			_ = cmd.Wait() // its exit code does not matter
			close(s.gone)
		}
	}()
	return <-started
}

// attributes returns the attributes of the first process.
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

// setup requests the first process to prepare the file system. EPERM means that
// the user namespace has no capabilities: the machine restricts it.
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

// lost returns the error for a first process that has ended.
func (s *Sandbox) lost(err error) error {
	s.hangUp()
	<-s.gone
	if text := s.stderr.String(); text != "" {
		return fmt.Errorf("the sandbox ended: %s", text)
	}
	return fmt.Errorf("the sandbox ended: %w", err)
}

// listen receives the ends of the commands.
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

// hangUp ends the first process, and so all others.
func (s *Sandbox) hangUp() {
	_ = s.conn.Close() // it may be closed already
}

// Close kills every process of the sandbox and returns when all have ended.
func (s *Sandbox) Close() {
	s.hangUp()
	<-s.gone
}

// socketPair returns both ends of a connection that preserves packets.
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

// send sends a JSON document with files.
func send(conn *net.UnixConn, document any, files ...*os.File) error {
	data, err := json.Marshal(document)
	if err != nil {
		return err
	}
	if len(data) > maxPacket {
		return fmt.Errorf("command has %d bytes, more than %d", len(data), maxPacket)
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

// receive reads a JSON document without files.
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

// head keeps the first 4 KiB that are written to it.
type head struct {
	mu   sync.Mutex
	text []byte
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, p[:min(len(p), 4096-len(h.text))]...)
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.text)
}
