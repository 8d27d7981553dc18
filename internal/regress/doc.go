// Package regress reads a pg_regress suite from a source tree.
//
// Its nouns are Suite (the tests that `make installcheck` would run in an
// extension's source tree) and Invocation (what pg_regress of PostgreSQL 18, or
// pg_isolation_regress, is told of them: the tests in order, with what options
// say about databases, roles, extensions and files). REGRESS, ISOLATION and
// their options come from the Makefile, whose variables are read, not run; a
// suite that cannot be told from them is an error, since a guess could pass
// for the real one.
//
// It runs no test, starts no program and writes nothing.
package regress
