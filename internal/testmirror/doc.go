// Package testmirror gives tests real Debian packages.
//
// It finds the mirror that this machine's own apt sources name, downloads by
// SHA256 into a cache that outlives the test run, and says so where there is
// no network. Signatures are not its business: what it returns is input for
// tests, never for a build. It serves tests only.
package testmirror
