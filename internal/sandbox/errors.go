package sandbox

import (
	"fmt"
	"io/fs"
	"strings"
)

// UnavailableError reports that this machine does not allow sandboxes.
type UnavailableError struct {
	// Setting is the kernel setting that forbids it, such as
	// "kernel.apparmor_restrict_unprivileged_userns is 1"; "" when unknown.
	Setting string
	// Err is the kernel's error.
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

// Hint returns the command that allows it.
func (e *UnavailableError) Hint() string { return e.advice }

// EmulatorError reports that this machine does not allow a sandbox with an
// emulator of its own. Linux allows it since 6.7, in a user namespace.
type EmulatorError struct {
	Emulator string
	// Reason is the step that failed, with the kernel's error.
	Reason string
}

func (e *EmulatorError) Error() string {
	return fmt.Sprintf("making a sandbox with %s: %s", e.Emulator, e.Reason)
}

// Hint names the alternative.
func (*EmulatorError) Hint() string {
	return "Linux 6.7 or later lets a sandbox have an emulator; elsewhere register it for the whole machine, as Debian's qemu-user-static (or qemu-user-binfmt) does"
}

// setting is a kernel setting that can forbid user namespaces.
type setting struct {
	// path is below /proc/sys; bad is the value that forbids, good one that allows.
	path, bad, good string
}

var settings = []setting{
	{"user/max_user_namespaces", "0", "10000"},
	{"kernel/unprivileged_userns_clone", "0", "1"},             // Debian, Arch
	{"kernel/apparmor_restrict_unprivileged_userns", "1", "0"}, // Ubuntu 23.10 and later
}

// unavailable returns the reason for which the kernel refused a namespace; sys
// is /proc/sys.
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
