package regress

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/failure"
)

// Suite is the tests of a source tree, which run one after the other on the same
// server. Names of files are clean slash-separated paths relative to the tree.
type Suite struct {
	// Makefile is the file that it was read from; "" if there is none.
	Makefile string
	// Invocation has the arguments of pg_regress.
	Invocation
	// Isolation has the arguments of pg_isolation_regress, which does not run
	// without Tests.
	Isolation Invocation
	// Configs are files with lines for postgresql.conf.
	Configs []string
	// TAP means that there are tests for prove.
	TAP bool
	// Notes are sentences about what is ignored.
	Notes []string
}

// Invocation is the arguments of one of PostgreSQL's test programs.
type Invocation struct {
	// Tests are names, in the order in which they run; a name may occur twice.
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
	// User is the user that runs the tests; "" is the superuser.
	User string
	// Encoding is the databases' and the clients'; "" leaves it to the server.
	Encoding string
	// NoLocale makes the databases' locale C.
	NoLocale bool
	// Launcher is a shell command before the test's program.
	Launcher string
	// ResultMap are the names of expected files for this platform, by test.
	ResultMap map[string]string
}

// Options configure how a suite is read.
type Options struct {
	// Dir is the absolute path of the source tree when tests run.
	Dir string
	// Version is PostgreSQL's, such as "18.6".
	Version string
	// Platform is the platform as configure detects it, such as
	// "x86_64-pc-linux-gnu".
	Platform string
	// Shell returns the output of a command; if nil it is unknown.
	Shell func(command string) (string, error)
	// Tests replace REGRESS.
	Tests []string
	// Options follow REGRESS_OPTS.
	Options []string
}

// refuse returns the error for a source tree without a suite that can be read.
func refuse(hint, format string, args ...any) error {
	return failure.New(failure.Other, hint, "reading the regression suite: "+format, args...)
}

// naming is the hint for a Makefile from which the tests cannot be determined.
const naming = "name the tests: --regress-tests NAME,NAME"

// makefiles are the names of Makefiles in the order of make, and of a template.
var makefiles = []string{"GNUmakefile", "makefile", "Makefile", "Makefile.in"}

// folders are the possible folders of a suite without a Makefile.
var folders = []string{".", "test", "tests", "regress"}

// Find returns an error with a hint if a source tree has neither a Makefile nor a
// folder with tests.
func Find(fsys fs.FS) error {
	switch info, err := fs.Stat(fsys, "."); {
	case err != nil:
		return refuse(folderHint, "its folder cannot be read: %w", cause(err))
	case !info.IsDir():
		return refuse(folderHint, "not a folder")
	}
	if findMakefile(fsys) != "" || findFolder(fsys) != "" {
		return nil
	}
	return refuse(cmp.Or(below(fsys), folderHint), "there is neither a Makefile nor a folder sql beside a folder expected")
}

// cause returns an error without the path, which is in the caller's message.
func cause(err error) error {
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		return at.Err
	}
	return err
}

const folderHint = "name the folder of an extension's source that `make installcheck` runs in"

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

// Read reads the suite of a source tree. Errors about the tree have a hint.
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

// complete checks the names of tests and reads the resultmap.
func (i *Invocation) complete(fsys fs.FS, platform string) error {
	for _, name := range i.Tests {
		if !testName.MatchString(name) || slices.Contains(strings.Split(name, "/"), "..") {
			return refuse("", "%q is not the name of a test", name)
		}
	}
	if len(i.Tests) == 0 {
		return nil
	}
	return i.resultMap(fsys, platform)
}

// testName matches names that need no quoting.
var testName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+,@/-]*$`)

// folder finds the tests of a tree without a list of tests: all with an expected
// output. A build file without REGRESS is an error, since it may run tests in
// another way.
func (s *Suite) folder(fsys fs.FS) error {
	for _, other := range []string{s.Makefile, "CMakeLists.txt", "meson.build"} {
		if _, err := fs.Stat(fsys, other); other != "" && err == nil {
			return refuse(cmp.Or(below(fsys), naming), "%s does not set REGRESS", other)
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
		return refuse(naming, "no file in %s has an expected output", path.Join(s.InputDir, "sql"))
	}
	s.Notes = append(s.Notes, "no Makefile names the tests: all that have an expected output run, by name")
	return nil
}

// setsRegress matches Makefiles that set REGRESS.
var setsRegress = regexp.MustCompile(`(?m)^\s*REGRESS\s*[:+?]?=`)

// below returns a hint with a folder whose Makefile sets REGRESS; "" if there is
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
