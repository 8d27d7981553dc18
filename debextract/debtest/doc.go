// Package debtest writes .deb files in memory, malformed ones too.
//
// It serves tests only, imports nothing that only tests have, and gives the
// same bytes for the same value. What cannot be written is a mistake in the
// test and panics.
package debtest
