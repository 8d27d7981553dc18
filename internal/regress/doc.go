// Package regress reads a pg_regress suite from a source tree.
//
// Its noun is Suite: the tests that `make installcheck` would have pg_regress
// of PostgreSQL 18 run in an extension's source tree, in order, with what its
// options say about databases, roles, extensions and files. REGRESS and
// REGRESS_OPTS come from the Makefile, whose variables are read, not run; a
// suite that cannot be told from them is an error, since a guess could pass
// for the real one.
//
// It runs no test, starts no program and writes nothing.
package regress
