// Package layout decides where each file of a set of packages goes in an
// extension image.
//
// Its nouns are Package (an unpacked .deb with its role), Input, Result (two
// trees, one a layer), Report (what became of every file) and ReportDocument (the
// same as a file). Arrange is a pure function from Input to Result: what it
// cannot place it drops with a reason, and what a person should know becomes a
// finding.
//
// It knows how PostgreSQL reads control files and looks for scripts, because
// that is what makes an extension. It resolves no dependency, opens no
// package, runs nothing, and never changes an ELF file.
package layout
