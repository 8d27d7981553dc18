package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// confineChild is set in the process that confine starts in a mount namespace
// of its own, as root of a user namespace where the tests are not run by root.
const confineChild = "PGEXT_TEST_CONFINED"

// confine runs a command where a folder is read-only or has no room:
//
//	confine DIR ro COMMAND …
//	confine DIR size=64k COMMAND …
func confine() {
	if os.Getenv(confineChild) != "" {
		err := confined(os.Args[1], os.Args[2], os.Args[3:])
		fmt.Fprintln(os.Stderr, "confine:", err)
		os.Exit(125)
	}
	self, err := os.Executable()
	if err == nil {
		cmd := exec.Command(self, os.Args[1:]...)
		cmd.Args[0] = "confine"
		cmd.Env = append(os.Environ(), confineChild+"=1")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.SysProcAttr = namespaces()
		err = cmd.Run()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "confine:", err)
		os.Exit(125)
	}
}

func namespaces() *syscall.SysProcAttr {
	if os.Getuid() == 0 {
		return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	}
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
}

// confined becomes the command.
func confined(dir, how string, command []string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if how == "ro" {
		if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("binding %s: %w", dir, err)
		}
		err = syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
	} else {
		err = syscall.Mount("tmpfs", dir, "tmpfs", 0, how)
	}
	if err != nil {
		return fmt.Errorf("mounting on %s: %w", dir, err)
	}
	program, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	if err := os.Unsetenv(confineChild); err != nil {
		return err
	}
	return syscall.Exec(program, command, os.Environ())
}

// confinable reports whether this machine lets the tests mount.
var confinable = sync.OnceValue(func() bool {
	cmd := exec.Command("true")
	cmd.SysProcAttr = namespaces()
	return cmd.Run() == nil
})
