package sandbox

import (
	"fmt"
	"io/fs"
	"strings"
)

// UnavailableError says that this machine does not let a sandbox be made.
type UnavailableError struct {
	// Setting is what forbids it, such as
	// "kernel.apparmor_restrict_unprivileged_userns is 1"; "" when unknown.
	Setting string
	// Err is what the kernel refused.
	Err error

	advice string
}

func (e *UnavailableError) Error() string {
	if e.Setting == "" {
		return fmt.Sprintf("making a sandbox: %v", e.Err)
	}
	return fmt.Sprintf("making a sandbox: %s: %v", e.Setting, e.Err)
}

// Unwrap returns the kernel's error.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Hint says how to allow it.
func (e *UnavailableError) Hint() string { return e.advice }

// EmulatorError says that this machine does not let a sandbox have an emulator
// of its own, as Linux does since 6.7 in a user namespace.
type EmulatorError struct {
	Emulator string
	// Reason is what the kernel refused.
	Reason string
}

func (e *EmulatorError) Error() string {
	return fmt.Sprintf("making a sandbox with %s: %s", e.Emulator, e.Reason)
}

// Hint names the other way.
func (*EmulatorError) Hint() string {
	return "Linux 6.7 or later lets a sandbox have an emulator; elsewhere register it for the whole machine, as Debian's qemu-user-static (or qemu-user-binfmt) does"
}

// setting is a switch of the kernel that can forbid user namespaces.
type setting struct {
	// path is below /proc/sys; bad the value that forbids, good one that allows.
	path, bad, good string
}

var settings = []setting{
	{"user/max_user_namespaces", "0", "10000"},
	{"kernel/unprivileged_userns_clone", "0", "1"},             // Debian, Arch
	{"kernel/apparmor_restrict_unprivileged_userns", "1", "0"}, // Ubuntu 23.10 and later
}

// unavailable explains why the kernel refused a namespace; sys is /proc/sys.
func unavailable(sys fs.FS, err error) *UnavailableError {
	for _, s := range settings {
		value, readErr := fs.ReadFile(sys, s.path)
		if readErr != nil || strings.TrimSpace(string(value)) != s.bad {
			continue
		}
		name := strings.ReplaceAll(s.path, "/", ".")
		return &UnavailableError{
			Setting: name + " is " + s.bad, Err: err,
			advice: fmt.Sprintf("allow it with: sudo sysctl -w %s=%s (on a GitHub runner, as a step before pgext), or run pgext as root", name, s.good),
		}
	}
	return &UnavailableError{
		Err: err,
		advice: "user namespaces are not allowed here; run pgext as root, or, in a container, " +
			"with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined",
	}
}
