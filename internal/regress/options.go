package regress

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// reader reads the options of a suite.
type reader struct {
	*Suite
	// to is the Invocation of the Suite whose options are read.
	to   *Invocation
	fsys fs.FS
	// dir is the absolute path of the tree.
	dir string
}

// flags are pg_regress's options without a value.
var flags = []string{"debug", "no-locale", "use-existing", "help", "version"}

// moot are the options about the server and its programs, which are fixed here.
var moot = []string{
	"bindir", "dlpath", "host", "port", "temp-instance", "max-connections", "max-concurrent-tests", "debug",
	"psqldir", "top-builddir", "srcdir", "config-auth",
}

// options parses the command line of pg_regress like getopt_long: names of tests
// may be between options.
func (r *reader) options(words []string) error {
	var schedules, tests []string
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if word == "--" {
			tests = append(tests, words...)
			break
		}
		name, value, ok := strings.Cut(word, "=")
		if !strings.HasPrefix(name, "-") {
			tests = append(tests, word)
			continue
		}
		name = strings.TrimPrefix(name, "--")
		if !ok && takesValue(name) {
			if len(words) == 0 {
				return refuse("", "--%s has no value", name)
			}
			value, words = words[0], words[1:]
		}
		if name == "schedule" {
			schedules = append(schedules, value)
		} else if err := r.option(name, value); err != nil {
			return err
		}
	}
	for _, s := range schedules {
		if err := r.schedule(s); err != nil {
			return err
		}
	}
	r.to.Tests = append(r.to.Tests, tests...)
	return nil
}

func takesValue(name string) bool {
	known := []string{
		"dbname", "inputdir", "outputdir", "expecteddir", "encoding", "schedule", "user", "create-role", "temp-config",
		"launcher", "load-extension", "load-language",
	}
	return slices.Contains(known, name) || slices.Contains(moot, name) && !slices.Contains(flags, name)
}

// option applies one option.
func (r *reader) option(name, value string) error {
	switch name {
	case "dbname":
		r.to.Databases = strings.Split(value, ",")
		if r.to.Databases[0] == "" {
			return refuse("", "--dbname is empty")
		}
	case "load-extension", "load-language":
		if !slices.Contains(r.to.Extensions, value) {
			r.to.Extensions = append(r.to.Extensions, value)
		}
	case "create-role":
		r.to.Roles = append(r.to.Roles, strings.Split(value, ",")...)
	case "user":
		r.to.User = value
	case "encoding":
		r.to.Encoding = value
	case "no-locale":
		r.to.NoLocale = true
	case "launcher":
		r.to.Launcher = value
	case "inputdir", "outputdir", "expecteddir", "temp-config":
		return r.file(name, value)
	case "use-existing":
		r.note("--use-existing is ignored: databases and roles are created")
	default:
		if !slices.Contains(moot, name) {
			r.note(fmt.Sprintf("pg_regress has no option --%s, which is ignored", name))
		}
	}
	return nil
}

func (r *reader) note(sentence string) { r.Notes = append(r.Notes, sentence) }

// file applies an option that names a folder or a file. A configuration file below
// contrib in PostgreSQL's source tree is the file of the same name in this tree.
func (r *reader) file(name, value string) error {
	local, ok := r.local(value)
	switch name {
	case "inputdir", "outputdir", "expecteddir":
		if !ok {
			return refuse("", "--%s=%s is outside of the source tree", name, value)
		}
		switch name {
		case "inputdir":
			r.to.InputDir = local
		case "outputdir":
			r.to.OutputDir = local
		default:
			r.to.ExpectedDir = local
		}
	case "temp-config":
		if !ok || !r.exists(local) {
			local = path.Base(value)
		}
		if !r.exists(local) {
			r.note(fmt.Sprintf("--temp-config=%s does not exist", value))
			return nil
		}
		r.Configs = append(r.Configs, local)
	}
	return nil
}

// local returns a path within the tree.
func (r *reader) local(name string) (string, bool) {
	if path.IsAbs(name) {
		rest, ok := strings.CutPrefix(path.Clean(name)+"/", strings.TrimSuffix(r.dir, "/")+"/")
		if !ok {
			return "", false
		}
		name = rest
	}
	name = path.Clean(name)
	return name, fs.ValidPath(name)
}

func (r *reader) exists(name string) bool {
	info, err := fs.Stat(r.fsys, name)
	return err == nil && info.Mode().IsRegular()
}

// schedule parses a schedule: lines "test: NAME...". The tests of one line may run
// at the same time or one after the other.
func (r *reader) schedule(name string) error {
	local, ok := r.local(name)
	if !ok {
		return refuse(naming, "--schedule=%s is outside of the source tree", name)
	}
	text, err := ReadFile(r.fsys, local)
	if errors.Is(err, fs.ErrNotExist) {
		return refuse(naming, "the schedule %s does not exist; a rule of the Makefile may make it", name)
	}
	if err != nil {
		return err
	}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimRight(line, " \t\r\n\v\f")
		if line == "" || line[0] == '#' {
			continue
		}
		names, ok := strings.CutPrefix(line, "test: ")
		tests := strings.Fields(names)
		if !ok || len(tests) == 0 {
			return refuse(naming, "%s:%d: %q is not a line of a schedule", name, i+1, line)
		}
		r.to.Tests = append(r.to.Tests, tests...)
	}
	return nil
}
