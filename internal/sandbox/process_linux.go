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
	// copying are the streams that are no files, pipes our ends of them.
	copying errgroup.Group
	pipes   []*os.File
	// ended is closed once end is there.
	ended chan struct{}
	end   event
}

// finish is called once, with the sandbox locked.
func (p *Process) finish(e event) {
	p.end = e
	close(p.ended)
}

// Start starts a command. What it writes is copied until Wait returns.
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

// streams returns the ends that the command gets, all closed by the caller,
// and starts copying between the others and the command's reader and writers.
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

// same tells whether two writers are one; those that cannot be compared are
// two.
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

// feed copies into a pipe; that the command did not read all is no error.
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

// lingering is how long after its end a command's streams may stay open:
// whatever it left behind holds them.
const lingering = 10 * time.Second

// lingerError says that what a command left behind kept its streams open.
type lingerError struct {
	program string
	after   time.Duration
}

func (e *lingerError) Error() string {
	return fmt.Sprintf("%s has ended, and %v later a process that it started still holds its output", path.Base(e.program), e.after)
}

func (e *lingerError) Unwrap() error { return os.ErrDeadlineExceeded }

// Wait waits until the command has ended and its output was copied. The error
// is an *ExitError when it ended otherwise than with 0; it wraps
// os.ErrDeadlineExceeded when a process that it left behind kept a stream open.
func (p *Process) Wait() error { return p.wait(lingering) }

func (p *Process) wait(patience time.Duration) error {
	<-p.ended
	cut := time.AfterFunc(patience, p.cut)
	copyErr := p.copying.Wait()
	cut.Stop()
	switch {
	case p.end.Error != "":
		return fmt.Errorf("running %s: %s", p.program, p.end.Error)
	case p.end.Code != 0 || p.end.Signal != 0:
		return &ExitError{Program: p.program, Code: p.end.Code, Signal: p.end.Signal}
	case errors.Is(copyErr, os.ErrDeadlineExceeded):
		return &lingerError{p.program, patience}
	case copyErr != nil:
		return fmt.Errorf("running %s: %w", p.program, copyErr)
	}
	return nil
}

// cut ends the copying of streams.
func (p *Process) cut() {
	for _, f := range p.pipes {
		_ = f.SetDeadline(time.Now()) // one that is closed needs none
	}
}

// Ended is closed when the command has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Signal sends a signal to the command. One that has ended gets none.
func (p *Process) Signal(sig syscall.Signal) error {
	return send(p.sandbox.conn, request{ID: p.id, Signal: int(sig)})
}

// Run runs a command to its end. When ctx is done first the command is killed,
// with what it started in its session.
func (s *Sandbox) Run(ctx context.Context, c Command) error {
	p, err := s.Start(c)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		_ = p.Signal(syscall.SIGKILL) // a sandbox that is gone has killed it
		p.cut()
	})
	defer stop()
	err = p.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
