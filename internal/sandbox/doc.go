// Package sandbox runs commands in a root file system of their own, with Linux
// namespaces.
//
// Its nouns are Spec (what the file system looks like), Sandbox (the
// namespaces, held by a small first process) and Process (a command in them).
// The first process is this very program, started again under another name:
// main calls Init before anything else. It sets up the mounts, then starts
// what it is asked to over a socket; when the socket closes, because the
// Sandbox was closed or because its owner died in whatever way, it exits, and
// the kernel kills every process of the sandbox and drops its mounts.
//
// Everything writable in a sandbox is in memory, so nothing of it can be left
// behind. The network is a loopback interface. Commands run as one ordinary
// user without capabilities.
//
// It is there to run trusted programs repeatably, as root or as an ordinary
// user; it does not claim to hold an attacker, has no system call filter, and
// does not limit memory or processor time.
package sandbox
