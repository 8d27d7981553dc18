// Package sandbox runs commands in a root file system of their own, with Linux
// namespaces.
//
// A Spec describes the file system, a Sandbox holds the namespaces, and a
// Process is a command in them. The first process of a sandbox is the calling
// program itself, executed again under another name, so main calls Init before
// anything else. It sets up the mounts, then starts the commands that it
// receives over a socket. When the socket closes, because the Sandbox was closed
// or because its owner died, it exits; the kernel then kills every process of
// the sandbox and drops its mounts.
//
// All writable file systems of a sandbox are in memory and vanish with it. The
// network is a loopback interface. Commands run as one ordinary user without
// capabilities.
//
// The package runs trusted programs repeatably, as root or as an ordinary user.
// It does not confine an attacker: there is no system call filter and no limit
// on memory or processor time.
package sandbox
