package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// Process is a command that was started in a sandbox.
type Process struct {
	sandbox *Sandbox
	id      int
	program string
	// copying copies between the pipes, which are our ends of the command's
	// streams, and the readers and writers of the Command.
	copying errgroup.Group
	pipes   []*os.File
	// ended is closed after end was set.
	ended chan struct{}
	end   event
}

// finish sets the end of the process. It is called once, with the sandbox locked.
func (p *Process) finish(e event) {
	p.end = e
	close(p.ended)
}

// Start starts a command. Its output is copied until Wait returns.
func (s *Sandbox) Start(c Command) (*Process, error) {
	p := &Process{sandbox: s, program: c.Args[0], ended: make(chan struct{})}
	streams, err := p.streams(c)
	defer func() {
		for _, f := range streams {
			f.Close()
		}
	}()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.program, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.processes == nil {
		return nil, fmt.Errorf("starting %s: the sandbox ended", p.program)
	}
	s.next++
	p.id = s.next
	if err := send(s.conn, request{ID: p.id, Args: c.Args, Env: c.Env, Dir: c.Dir}, streams...); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.program, err)
	}
	s.processes[p.id] = p
	return p, nil
}

// streams returns the command's three standard streams, which the caller closes,
// and starts copying between their other ends and the Command's reader and
// writers.
func (p *Process) streams(c Command) ([]*os.File, error) {
	in, err := p.input(c.Stdin)
	if err != nil {
		return nil, err
	}
	out, err := p.output(c.Stdout)
	if err != nil {
		return []*os.File{in}, err
	}
	if c.Stderr != nil && same(c.Stdout, c.Stderr) {
		return []*os.File{in, out, out}, nil // one pipe keeps the order
	}
	errs, err := p.output(c.Stderr)
	if err != nil {
		return []*os.File{in, out}, err
	}
	return []*os.File{in, out, errs}, nil
}

// same reports whether two writers are equal. Values that cannot be compared are
// not.
func same(a, b io.Writer) bool {
	defer func() { _ = recover() }()
	return a == b
}

func (p *Process) input(from io.Reader) (*os.File, error) {
	if from == nil {
		return os.Open(os.DevNull)
	}
	r, w, err := os.Pipe()
	if err == nil {
		p.pipes = append(p.pipes, w)
		p.copying.Go(func() error { return feed(w, from) })
	}
	return r, err
}

func (p *Process) output(to io.Writer) (*os.File, error) {
	if to == nil {
		return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	}
	r, w, err := os.Pipe()
	if err == nil {
		p.pipes = append(p.pipes, r)
		p.copying.Go(func() error { return drain(to, r) })
	}
	return w, err
}

// feed copies into a pipe. A command that does not read all of it is no error.
func feed(w *os.File, r io.Reader) error {
	defer w.Close()
	if _, err := io.Copy(w, r); err != nil && !errors.Is(err, syscall.EPIPE) {
		return err
	}
	return nil
}

func drain(w io.Writer, r *os.File) error {
	defer r.Close()
	_, err := io.Copy(w, r)
	return err
}

// lingerTime is how long a command's output may stay open after its end, because
// a process that it started still holds it.
const lingerTime = 10 * time.Second

// Wait waits until the command has ended and its output was copied. The error
// is an *ExitError if its exit code is not 0; it wraps os.ErrDeadlineExceeded if
// a process that it started kept its output open.
func (p *Process) Wait() error { return p.wait(lingerTime) }

func (p *Process) wait(linger time.Duration) error {
	<-p.ended
	cut := time.AfterFunc(linger, p.cut)
	copyErr := p.copying.Wait()
	cut.Stop()
	switch {
	case p.end.Error != "":
		return fmt.Errorf("running %s: %s", p.program, p.end.Error)
	case p.end.Code != 0 || p.end.Signal != 0:
		return &ExitError{Program: p.program, Code: p.end.Code, Signal: p.end.Signal}
	case errors.Is(copyErr, os.ErrDeadlineExceeded):
		return fmt.Errorf("%s ended, but a process that it started still holds its output after %v: %w", path.Base(p.program), linger, os.ErrDeadlineExceeded)
	case copyErr != nil:
		return fmt.Errorf("running %s: %w", p.program, copyErr)
	}
	return nil
}

// cut stops copying.
func (p *Process) cut() {
	for _, f := range p.pipes {
		_ = f.SetDeadline(time.Now()) // fails only if it is closed
	}
}

// Ended is closed when the command has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Signal sends a signal to the command, unless it has ended.
func (p *Process) Signal(sig syscall.Signal) error {
	return send(p.sandbox.conn, request{ID: p.id, Signal: int(sig)})
}

// Run runs a command to its end. When ctx is done first the command is killed,
// with the processes of its session. The error is ctx's or that of Wait.
func (s *Sandbox) Run(ctx context.Context, c Command) error {
	p, err := s.Start(c)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		_ = p.Signal(syscall.SIGKILL) // fails only if the sandbox has ended
		p.cut()
	})
	defer stop()
	err = p.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
