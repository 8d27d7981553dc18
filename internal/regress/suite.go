package regress

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Suite is what a source tree has tested, one program after the other on the
// same server. Names of files are relative to the source tree, clean and with
// slashes.
type Suite struct {
	// Makefile is where it was read from; "" when there is none.
	Makefile string
	// Invocation is that of pg_regress.
	Invocation
	// Isolation is that of pg_isolation_regress; without Tests there is none.
	Isolation Invocation
	// Configs are files with lines for postgresql.conf.
	Configs []string
	// TAP tells of tests for prove.
	TAP bool
	// Notes are what was not heeded, a sentence each.
	Notes []string
}

// Invocation is what one of PostgreSQL's test programs is told.
type Invocation struct {
	// Tests are names, in the order in which they run; a name may be there
	// twice.
	Tests []string
	// InputDir has sql (or specs) and expected, OutputDir gets results;
	// ExpectedDir has expected before InputDir has. "." is the source tree.
	InputDir, OutputDir, ExpectedDir string
	// Databases are created; tests run in the first one.
	Databases []string
	// Extensions are created in each database, Languages too.
	Extensions []string
	// Roles are created with all privileges on the databases.
	Roles []string
	// User is who runs the tests; "" is the superuser.
	User string
	// Encoding is the databases' and the clients'; "" leaves it to the server.
	Encoding string
	// NoLocale makes the databases' locale C.
	NoLocale bool
	// Launcher is put before the test's program by the shell.
	Launcher string
	// ResultMap are names of expected files, by test, where the platform has
	// its own.
	ResultMap map[string]string
}

// Options say how a suite is read.
type Options struct {
	// Dir is where the source tree is going to be when tests run; absolute.
	Dir string
	// Version is PostgreSQL's, such as "18.6".
	Version string
	// Platform is the machine's name as configure finds it, such as
	// "x86_64-pc-linux-gnu".
	Platform string
	// Shell returns what a command prints; nil makes that unknown.
	Shell func(command string) (string, error)
	// Tests replace REGRESS.
	Tests []string
	// Options follow REGRESS_OPTS.
	Options []string
}

// Error says that a source tree tells of no suite, or not which.
type Error struct {
	// Reason completes "there is no suite to run".
	Reason string
	// Advice is what a person can do.
	Advice string
	Err    error
}

func (e *Error) Error() string { return "reading the regression suite: " + e.Reason }

// Hint names a way out.
func (e *Error) Hint() string { return e.Advice }

func (e *Error) Unwrap() error { return e.Err }

// naming is the way out where the Makefile does not tell the tests.
const naming = "name the tests: --regress-tests NAME,NAME"

// makefiles are the names of Makefiles in make's order, and the template of
// one.
var makefiles = []string{"GNUmakefile", "makefile", "Makefile", "Makefile.in"}

// folders are where a suite without a Makefile lies.
var folders = []string{".", "test", "tests", "regress"}

// Find tells whether a source tree has something to read a suite from. The
// error is an *Error.
func Find(fsys fs.FS) error {
	switch info, err := fs.Stat(fsys, "."); {
	case err != nil:
		return &Error{Reason: "its folder cannot be read: " + cause(err), Advice: folderAdvice, Err: err}
	case !info.IsDir():
		return &Error{Reason: "it is no folder", Advice: folderAdvice}
	}
	if findMakefile(fsys) != "" || findFolder(fsys) != "" {
		return nil
	}
	return &Error{Reason: "there is neither a Makefile nor a folder sql beside a folder expected", Advice: cmp.Or(below(fsys), folderAdvice)}
}

// cause is an error without the path, which its reader knows.
func cause(err error) string {
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		err = at.Err
	}
	return err.Error()
}

const folderAdvice = "name the folder of an extension's source that `make installcheck` runs in"

func findMakefile(fsys fs.FS) string {
	for _, name := range makefiles {
		if info, err := fs.Stat(fsys, name); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

func findFolder(fsys fs.FS) string {
	for _, dir := range folders {
		if isFolder(fsys, path.Join(dir, "sql")) && isFolder(fsys, path.Join(dir, "expected")) {
			return dir
		}
	}
	return ""
}

func isFolder(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

// Read reads the suite of a source tree. The error is an *Error where the
// tree does not tell it.
func Read(fsys fs.FS, o Options) (Suite, error) {
	if err := Find(fsys); err != nil {
		return Suite{}, err
	}
	s := Suite{
		Makefile:   findMakefile(fsys),
		Invocation: Invocation{InputDir: ".", OutputDir: ".", ExpectedDir: ".", Databases: []string{"contrib_regression"}},
	}
	words := []string{}
	if s.Makefile != "" {
		var err error
		if words, err = s.variables(fsys, o); err != nil {
			return s, err
		}
	}
	r := reader{Suite: &s, to: &s.Invocation, fsys: fsys, dir: o.Dir}
	if err := r.options(slices.Concat(words, o.Options, o.Tests)); err != nil {
		return s, err
	}
	if !isFolder(fsys, path.Join(s.InputDir, "sql")) && s.InputDir == "." {
		s.InputDir = cmp.Or(findFolder(fsys), ".")
	}
	if len(s.Tests)+len(s.Isolation.Tests) == 0 {
		if err := s.folder(fsys); err != nil {
			return s, err
		}
	}
	for _, i := range []*Invocation{&s.Invocation, &s.Isolation} {
		if err := i.complete(fsys, o.Platform); err != nil {
			return s, err
		}
	}
	return s, nil
}

// complete reads the map of results, and looks at the names.
func (i *Invocation) complete(fsys fs.FS, platform string) error {
	for _, name := range i.Tests {
		if !testName.MatchString(name) || slices.Contains(strings.Split(name, "/"), "..") {
			return &Error{Reason: fmt.Sprintf("%q is no name of a test", name)}
		}
	}
	if len(i.Tests) == 0 {
		return nil
	}
	return i.resultMap(fsys, platform)
}

// testName are names that need no quoting anywhere.
var testName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+,@/-]*$`)

// folder finds the tests of a tree in which nothing says which there are: all
// that have an expected output. A Makefile without REGRESS may run tests in
// its own way, and is no such thing.
func (s *Suite) folder(fsys fs.FS) error {
	for _, other := range []string{s.Makefile, "CMakeLists.txt", "meson.build"} {
		if _, err := fs.Stat(fsys, other); other != "" && err == nil {
			return &Error{Reason: other + " does not set REGRESS", Advice: cmp.Or(below(fsys), naming)}
		}
	}
	found, err := fs.Glob(fsys, path.Join(s.InputDir, "sql/*.sql"))
	if err != nil {
		return err
	}
	for _, name := range found {
		name = strings.TrimSuffix(path.Base(name), ".sql")
		if _, err := fs.Stat(fsys, path.Join(s.InputDir, "expected", name+".out")); err == nil {
			s.Tests = append(s.Tests, name)
		}
	}
	if len(s.Tests) == 0 {
		return &Error{Reason: "no file in " + path.Join(s.InputDir, "sql") + " has an expected output", Advice: naming}
	}
	s.Notes = append(s.Notes, "no Makefile names the tests: all that have an expected output run, by name")
	return nil
}

// setsRegress finds the Makefiles that name tests.
var setsRegress = regexp.MustCompile(`(?m)^\s*REGRESS\s*[:+?]?=`)

// below advises to name a folder whose Makefile names tests; "" when there is
// none.
func below(fsys fs.FS) string {
	for _, pattern := range []string{"*/Makefile*", "*/*/Makefile*"} {
		found, _ := fs.Glob(fsys, pattern) // the pattern is well-formed
		for _, name := range found {
			if text, err := ReadFile(fsys, name); err == nil && setsRegress.Match(text) {
				return "name its folder " + path.Dir(name) + ", whose " + path.Base(name) + " does"
			}
		}
	}
	return ""
}
