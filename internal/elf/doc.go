// Package elf says what an ELF file needs from others at load time.
//
// Its nouns are Object (what the dynamic section of one file tells: machine,
// SONAME, NEEDED, symbol versions) and Closure (which libraries a set of
// modules ends up loading, and from where).
//
// Files are read as the dynamic loader reads them, through program headers,
// so stripped section headers make no difference. Read never looks at symbol
// tables; Symbols does, for the few names it is asked about. Nothing is loaded,
// and no search path of this machine is consulted.
package elf
