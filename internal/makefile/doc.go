// Package makefile reads the variables of a Makefile without running make.
//
// Its nouns are Makefile (the variables as GNU make has them when all lines
// are read) and UnknownError (why one of them cannot be known). The language is
// the part of GNU make 4.3 that deals with variables: assignments of every
// kind, define, conditionals, include and the functions over text and file
// names. What a shell command prints is asked of the caller, or unknown; a
// conditional that hangs on something unknown makes what is assigned in it
// unknown, rather than guessed.
//
// It looks at no rule, runs nothing itself, reads no file outside of the
// folder that it is given, and bounds what a file can make it do.
package makefile
