package sandbox

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Spec says what the file system of a sandbox looks like. Paths below it are
// absolute, clean and hold no symbolic link.
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
	// Emulator runs the programs of the root where this machine does not; nil
	// when it does.
	Emulator *Emulator
}

// Emulator is a program that runs those of another machine. The kernel hands
// them to it, in this sandbox only.
type Emulator struct {
	// Path is a program of the host that no dynamic loader has to load.
	Path string
	// Magic is how files for it begin, in the bits that are set in Mask.
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
	// Owned gives the folder to the Spec's User rather than to root.
	Owned bool
}

// Bind makes a folder of the host visible.
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

// ExitError says that a command ended otherwise than with 0.
type ExitError struct {
	Program string
	// Code is the exit code; Signal, when positive, is what killed it instead.
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
		return fmt.Errorf("user %d cannot run commands in a sandbox", s.User)
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
			return fmt.Errorf("%q is no place for a mount", t)
		}
	}
	if e := s.Emulator; e != nil && (!path.IsAbs(e.Path) || strings.ContainsAny(e.Path, ":\n")) {
		return fmt.Errorf("%q is no path for an emulator", e.Path)
	}
	return nil
}
