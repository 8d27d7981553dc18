// Package regress reads a pg_regress suite from a source tree.
//
// A Suite is the tests that `make installcheck` runs in an extension's source
// tree. An Invocation is the arguments of pg_regress, or of pg_isolation_regress,
// of PostgreSQL 18: the tests in order, databases, roles, extensions and files.
// REGRESS, ISOLATION and their options come from the variables of the Makefile,
// which is parsed and not executed. If their values cannot be determined, that is
// an error, since a guess could differ from the real suite.
//
// The package runs no test, starts no program and writes no file.
package regress
