package base

import (
	"path"
	"strings"

	"github.com/pgext/pgext/internal/apt"
)

// interpreters maps the program that a script's first line names to the
// packages that install it in /bin or /usr/bin, any one of which will do.
var interpreters = map[string][]string{
	"sh":      {"dash"},
	"dash":    {"dash"},
	"bash":    {"bash"},
	"perl":    {"perl-base"},
	"awk":     {"mawk", "gawk", "original-awk"},
	"mawk":    {"mawk"},
	"gawk":    {"gawk"},
	"sed":     {"sed"},
	"python3": {"python3-minimal"},
	"tclsh":   {"tcl"},
	"ruby":    {"ruby"},
	"psql":    {"postgresql-client-common"},
}

// binDirs are where an interpreter of a package is found. A script that names
// another place does not run, whatever the package is called.
var binDirs = map[string]bool{"/bin": true, "/usr/bin": true}

// Interpreter returns the package of the base that installs the interpreter a
// script's first line names, such as "/bin/sh" or "/usr/bin/env perl"
// (execve(2): the first word is a path, the rest one argument).
func (b Base) Interpreter(line string) (apt.Package, bool) {
	words := strings.Fields(line)
	if b.Known() {
		return b.program(words)
	}
	if len(words) == 0 || !binDirs[path.Dir(words[0])] {
		return apt.Package{}, false
	}
	name := path.Base(words[0])
	if name == "env" {
		if name = envProgram(words[1:]); name == "" {
			return apt.Package{}, false
		}
	}
	for _, pkg := range interpreters[name] {
		if p, ok := b.Package(pkg); ok {
			return p, true
		}
	}
	return apt.Package{}, false
}

// program returns the package of the program that an image would run.
func (b Base) program(words []string) (apt.Package, bool) {
	if len(words) == 0 {
		return apt.Package{}, false
	}
	name := words[0]
	if _, ok := b.programs[name]; ok && path.Base(name) == "env" {
		program := envProgram(words[1:])
		for _, dir := range searchPath {
			if name = "/" + path.Join(dir, program); program != "" && b.programs[name] != "" {
				break
			}
		}
	}
	owner, ok := b.programs[name]
	if !ok {
		return apt.Package{}, false
	}
	return b.Package(owner)
}

// envProgram returns the program that env(1) would run: the first word that
// is neither an option nor an assignment.
func envProgram(words []string) string {
	for _, w := range words {
		if !strings.HasPrefix(w, "-") && !strings.Contains(w, "=") {
			return w
		}
	}
	return ""
}
