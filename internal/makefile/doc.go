// Package makefile reads the variables of a Makefile without running make.
//
// A Makefile has the variables that GNU make has after reading all lines. The
// language is the part of GNU make 4.3 about variables: all assignments, define,
// conditionals, include, and the functions over text and file names. The caller
// runs shell commands; without it their output is unknown. Variables that are
// assigned in a conditional with an unknown condition are unknown too, and
// expanding them is an UnknownError.
//
// The package ignores rules, runs no program, reads no file outside of the given
// folder, and limits time and memory.
package makefile
