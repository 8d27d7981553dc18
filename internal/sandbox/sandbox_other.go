//go:build !linux

package sandbox

import (
	"context"
	"errors"
	"syscall"
)

var errLinux = &UnavailableError{
	Err:    errors.New("a sandbox needs Linux namespaces"),
	advice: "run it on Linux, in a virtual machine for instance",
}

// Sandbox is a root file system with its own processes; on Linux only.
type Sandbox struct{}

// Process is a command that was started in a sandbox.
type Process struct{}

// Init does nothing here.
func Init() {}

// Open returns an *UnavailableError.
func Open(context.Context, Spec) (*Sandbox, error) { return nil, errLinux }

// Close does nothing.
func (*Sandbox) Close() {}

// Start returns an *UnavailableError.
func (*Sandbox) Start(Command) (*Process, error) { return nil, errLinux }

// Run returns an *UnavailableError.
func (*Sandbox) Run(context.Context, Command) error { return errLinux }

// Wait returns an *UnavailableError.
func (*Process) Wait() error { return errLinux }

// Ended is never closed.
func (*Process) Ended() <-chan struct{} { return nil }

// Signal returns an *UnavailableError.
func (*Process) Signal(syscall.Signal) error { return errLinux }
