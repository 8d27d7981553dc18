// Package elftest makes minimal ELF files in code, for tests.
//
// What Build returns has a dynamic section, a string table, symbol versions
// and section headers that readelf agrees with, and no code: it can be read,
// not run.
package elftest
