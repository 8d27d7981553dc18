package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// socketFD is the file descriptor of the first process's end of the connection.
const socketFD = 3

// Init must be the first call of main. In the first process of a sandbox it
// serves that sandbox and never returns; in any other process it returns at
// once.
func Init() {
	if len(os.Args) != 1 || os.Args[0] != initName {
		return
	}
	unix.CloseOnExec(socketFD)
	if err := serve(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// first is the first process of a sandbox.
type first struct {
	conn *net.UnixConn
	attr *syscall.SysProcAttr

	mu      sync.Mutex
	running map[int]*os.Process
}

// serve prepares the file system, then starts and signals commands until the
// owner closes the connection. When it returns the kernel kills the commands.
func serve() error {
	f := os.NewFile(socketFD, "sandbox")
	c, err := net.FileConn(f)
	if err != nil {
		return err
	}
	f.Close()
	p := &first{conn: c.(*net.UnixConn), running: map[int]*os.Process{}}
	var r request
	if err := receive(p.conn, &r); err != nil || r.Setup == nil {
		return fmt.Errorf("waiting for the setup: %w", err)
	}
	if step, err := prepare(*r.Setup); err != nil {
		return p.refuse(step, err)
	}
	p.attr = commandAttributes(*r.Setup)
	if err := send(p.conn, event{}); err != nil {
		return err
	}
	for {
		r, files, err := p.next()
		if err != nil {
			return nil //nolint:nilerr // the owner has closed the connection, or died
		}
		if r.Signal != 0 {
			p.signal(r)
			continue
		}
		p.start(r, files)
	}
}

// refuse sends the reason for which there is no sandbox.
func (p *first) refuse(step string, err error) error {
	e := event{Error: err.Error(), Step: step}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		e.Errno = int(errno)
	}
	return send(p.conn, e)
}

// next reads a request with its files.
func (p *first) next() (request, []*os.File, error) {
	data, rights := make([]byte, maxPacket), make([]byte, unix.CmsgSpace(3*4))
	n, rn, _, _, err := p.conn.ReadMsgUnix(data, rights)
	if err != nil || n == 0 {
		return request{}, nil, net.ErrClosed
	}
	var files []*os.File
	messages, err := unix.ParseSocketControlMessage(rights[:rn])
	if err != nil {
		return request{}, nil, err
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			return request{}, nil, err
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "stream"))
		}
	}
	var r request
	return r, files, json.Unmarshal(data[:n], &r)
}

// start starts a command and sends an event when it ends.
func (p *first) start(r request, files []*os.File) {
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	cmd := &exec.Cmd{Path: r.Args[0], Args: r.Args, Env: r.Env, Dir: r.Dir, SysProcAttr: p.attr}
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	if len(files) == 3 {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[1], files[2]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := cmd.Start(); err != nil {
		p.send(event{ID: r.ID, Error: err.Error()})
		return
	}
	p.running[r.ID] = cmd.Process
	go func() {
		state, err := cmd.Process.Wait()
		p.mu.Lock()
		delete(p.running, r.ID)
		p.mu.Unlock()
		p.send(ending(r.ID, state, err))
	}()
}

func ending(id int, state *os.ProcessState, err error) event {
	if err != nil {
		return event{ID: id, Error: err.Error()}
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return event{ID: id, Signal: int(status.Signal())}
	}
	return event{ID: id, Code: state.ExitCode()}
}

// signal sends a signal to a command. SIGKILL goes to the processes that the
// command started as well, if they are still in its process group.
func (p *first) signal(r request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	running := p.running[r.ID]
	if running == nil {
		return
	}
	sig := syscall.Signal(r.Signal)
	if sig == syscall.SIGKILL {
		_ = syscall.Kill(-running.Pid, sig) // start made it the leader of a group
	}
	_ = running.Signal(sig) // it may just have ended
}

// send sends an event. An error means that the owner is gone.
func (p *first) send(e event) {
	_ = send(p.conn, e)
}

// commandAttributes make a command run as the Spec's User without capabilities.
// If the sandbox has one id only, a nested user namespace maps it to the user's.
func commandAttributes(s setup) *syscall.SysProcAttr {
	user := s.Spec.User
	if s.Many {
		return &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}}
	}
	only := []syscall.SysProcIDMap{{ContainerID: user, HostID: 0, Size: 1}}
	return &syscall.SysProcAttr{
		Setsid: true, Cloneflags: syscall.CLONE_NEWUSER, UidMappings: only, GidMappings: only,
		Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user), NoSetGroups: true},
	}
}
