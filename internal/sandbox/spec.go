package sandbox

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Spec describes the file system of a sandbox. Paths in it are absolute and clean,
// and contain no symbolic link.
type Spec struct {
	// Root is the folder of the host that becomes the root, read-only. It has
	// empty folders dev and proc.
	Root string
	// Tmpfs are writable file systems in memory; a parent comes before what is
	// below it.
	Tmpfs []Tmpfs
	// Binds are folders of the host, read-only.
	Binds []Bind
	// User is the user and group that commands run as; not 0.
	User int
	// Hostname is "localhost" when empty.
	Hostname string
	// Emulator runs the programs of the root; nil if this machine runs them.
	Emulator *Emulator
}

// Emulator is a program that runs another machine's programs. The kernel uses it
// in this sandbox only.
type Emulator struct {
	// Path is a program of the host that needs no dynamic loader.
	Path string
	// Magic is the start of files for it, in the bits that are set in Mask.
	Magic, Mask []byte
}

// Tmpfs is a file system in memory.
type Tmpfs struct {
	// Path exists in the root, or lies below an earlier Tmpfs.
	Path string
	// Size is its limit in bytes; 0 means 1 GiB.
	Size int64
	// Mode of the folder; 0 means 0755.
	Mode fs.FileMode
	// Owned makes the Spec's User the owner of the folder, instead of root.
	Owned bool
}

// Bind is a folder of the host that is visible in the sandbox.
type Bind struct {
	Source string
	// Target exists in the root, or lies below a Tmpfs.
	Target string
}

// Command is a program to run in a sandbox.
type Command struct {
	// Args are the program's absolute path and its arguments.
	Args []string
	// Env is the whole environment, NAME=value.
	Env []string
	// Dir is the working directory; "/" when empty.
	Dir string
	// Stdin, Stdout and Stderr are /dev/null when nil.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// ExitError reports a command whose exit code is not 0, or that a signal killed.
type ExitError struct {
	Program string
	// Code is the exit code. Signal, if positive, is the signal that killed it.
	Code, Signal int
}

func (e *ExitError) Error() string {
	if e.Signal > 0 {
		return fmt.Sprintf("%s: killed by signal %d", path.Base(e.Program), e.Signal)
	}
	return fmt.Sprintf("%s: exit code %d", path.Base(e.Program), e.Code)
}

func (s Spec) check() error {
	if s.User <= 0 {
		return fmt.Errorf("running as user %d in a sandbox: not an ordinary user", s.User)
	}
	targets := []string{}
	for _, t := range s.Tmpfs {
		targets = append(targets, t.Path)
	}
	for _, b := range s.Binds {
		targets = append(targets, b.Target)
	}
	for _, t := range targets {
		if !path.IsAbs(t) || path.Clean(t) != t || t == "/" {
			return fmt.Errorf("mounting at %q: not a clean absolute path", t)
		}
	}
	if e := s.Emulator; e != nil && (!path.IsAbs(e.Path) || strings.ContainsAny(e.Path, ":\n")) {
		return fmt.Errorf("emulator %q: not an absolute path without colons", e.Path)
	}
	return nil
}
