package makefile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Options configure how a Makefile is read. All fields may be zero.
type Options struct {
	// Dir is the absolute path of the working directory of make; "/" when empty.
	Dir string
	// Set are variables of make's command line. They override the file's.
	Set map[string]string
	// Shell returns the output of a command; if nil it is unknown.
	Shell func(command string) (string, error)
	// Outside returns the text of an included file that is not in the folder,
	// such as PGXS; nil finds none. If the name is unknown, path is the unexpanded
	// reference, such as "$(PGXS)".
	Outside func(path string) (text string, ok bool)
}

// ErrTooMuch means that a Makefile exceeds the limits of this package.
var ErrTooMuch = errors.New("expansion exceeds the limits")

// UnknownError reports a value that depends on something unknown.
type UnknownError struct {
	// Text is the text to expand.
	Text string
	// Reason is the first unknown value in it.
	Reason string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("expanding %s: %s is unknown", e.Text, e.Reason)
}

// Makefile has the variables of a Makefile.
type Makefile struct {
	options   Options
	fsys      fs.FS
	variables map[string]*variable
	// names are the names of variables in the order of their first definition.
	names []string
	// files are the files that were read, as in MAKEFILE_LIST.
	files []string
	// unknown are the reasons to which markers refer.
	unknown    []string
	complaints []string
	// absent is a missing included file, which may set variables that no other
	// line sets.
	absent string
	// depth, steps and bytes count towards the limits.
	depth, steps, bytes int
	err                 error
}

// variable is the value of a variable.
type variable struct {
	value string
	// simple means that value is expanded.
	simple bool
	// strength is the origin of the value.
	strength int
}

// The strengths. An assignment after a stronger one is ignored.
const (
	fromFile = iota
	fromOverride
	fromCommandLine
)

// Limits of a Makefile.
const (
	maxDepth  = 100
	maxSteps  = 200_000
	maxBytes  = 32 << 20
	maxResult = 1 << 20
	maxFile   = 1 << 20
)

// Read reads the Makefile name of a folder. In a template (Makefile.in) the
// variables of configure are unknown. The error wraps fs.ErrNotExist, or
// is ErrTooMuch.
func Read(fsys fs.FS, name string, o Options) (*Makefile, error) {
	text, err := readFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	m := &Makefile{options: o, fsys: fsys, variables: map[string]*variable{}}
	if m.options.Dir == "" {
		m.options.Dir = "/"
	}
	for _, n := range []struct{ name, value string }{{"CURDIR", m.options.Dir}, {"MAKE", "make"}, {"MAKE_VERSION", "4.3"}, {"SHELL", "/bin/sh"}} {
		m.set(n.name, variable{value: n.value, simple: true})
	}
	for n, value := range o.Set {
		m.set(n, variable{value: value, strength: fromCommandLine})
	}
	if strings.HasSuffix(name, ".in") {
		text = substituted.ReplaceAllStringFunc(text, func(s string) string { return m.unknowable(s + ", which configure finds,") })
	}
	m.parse(name, text)
	if m.err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, m.err)
	}
	return m, nil
}

// substituted matches the variables of configure in a template.
var substituted = regexp.MustCompile(`@[A-Za-z_0-9]+@`)

// errTooLarge means that a file exceeds maxFile.
var errTooLarge = errors.New("the file is too large")

func readFile(fsys fs.FS, name string) (string, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return "", err
	}
	if info.Size() > maxFile {
		return "", fmt.Errorf("%w: more than %d bytes", errTooLarge, maxFile)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	text, err := fs.ReadFile(fsys, name)
	if err == nil && bytes.Contains(text, []byte(marker)) {
		err = errors.New("not a text file")
	}
	return string(text), err
}

// Expand returns the expansion of text after all lines were read. The error is
// an *UnknownError or ErrTooMuch.
func (m *Makefile) Expand(text string) (string, error) {
	m.steps, m.bytes, m.err = 0, 0, nil
	out := m.expand(text)
	if m.err != nil {
		return "", fmt.Errorf("expanding %s: %w", text, m.err)
	}
	if i, ok := marked(out); ok {
		return "", &UnknownError{Text: text, Reason: m.unknown[i]}
	}
	return out, nil
}

// Complaints returns the messages of $(error) and $(warning) in the file.
func (m *Makefile) Complaints() []string { return slices.Clone(m.complaints) }

// marker encloses the number of a reason in a value.
const marker = "\x00"

// unknowable returns a marker for an unknown value.
func (m *Makefile) unknowable(reason string) string {
	i := slices.Index(m.unknown, reason)
	if i < 0 {
		i = len(m.unknown)
		m.unknown = append(m.unknown, reason)
	}
	return marker + strconv.Itoa(i) + marker
}

// marked finds the first marker in a value.
func marked(text string) (reason int, ok bool) {
	_, rest, ok := strings.Cut(text, marker)
	if !ok {
		return 0, false
	}
	number, _, _ := strings.Cut(rest, marker)
	reason, _ = strconv.Atoi(number) // markers are made by unknowable only
	return reason, true
}

// set makes v the value of a name, unless it has a stronger one.
func (m *Makefile) set(name string, v variable) {
	old, ok := m.variables[name]
	if !ok {
		m.names = append(m.names, name)
	} else if old.strength > v.strength {
		return
	}
	m.variables[name] = &v
}

// during sets names while do runs.
func (m *Makefile) during(values map[string]string, do func()) {
	before := map[string]*variable{}
	for name, value := range values {
		before[name] = m.variables[name]
		m.variables[name] = &variable{value: value, simple: true}
	}
	do()
	for name, v := range before {
		if v == nil {
			delete(m.variables, name)
		} else {
			m.variables[name] = v
		}
	}
}

// automatic are the variables of rules and of $(call).
var automatic = regexp.MustCompile(`^[0-9@<^+*%?|-][DF]?$`)

// value returns the expanded value of a variable; "" if it was never set.
func (m *Makefile) value(name string) string {
	switch name {
	case ".VARIABLES":
		return strings.Join(m.names, " ")
	case "MAKEFILE_LIST":
		return strings.Join(m.files, " ")
	}
	v, ok := m.variables[name]
	switch {
	case !ok && m.absent != "" && !automatic.MatchString(name):
		return m.unknowable(name + ", which the absent " + m.absent + " may set,")
	case !ok:
		return ""
	case v.simple:
		return v.value
	}
	return m.expand(v.value)
}

// absolute returns the absolute path of a file.
func (m *Makefile) absolute(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(m.options.Dir, name)
}

// inside returns the path of a file relative to the folder.
func (m *Makefile) inside(name string) (string, bool) {
	absolute := m.absolute(name)
	if m.options.Dir == "/" {
		absolute = strings.TrimPrefix(absolute, "/")
	} else if rest, ok := strings.CutPrefix(absolute+"/", m.options.Dir+"/"); ok {
		absolute = strings.TrimSuffix(rest, "/")
	}
	if absolute == "" {
		absolute = "."
	}
	return absolute, fs.ValidPath(absolute)
}
