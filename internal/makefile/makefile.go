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

// Options say what a Makefile may ask for. Everything may be zero.
type Options struct {
	// Dir is the absolute path that make would run in; "/" when empty.
	Dir string
	// Set are variables that were given on the command line: they win over the
	// file's.
	Set map[string]string
	// Shell returns what a command prints; nil makes that unknown.
	Shell func(command string) (string, error)
	// Outside returns the text of an included file that is not in the folder,
	// such as PGXS; nil finds none. Where its name cannot be known, path is the
	// reference to it, such as "$(PGXS)".
	Outside func(path string) (text string, ok bool)
}

// ErrTooMuch says that a Makefile asks for more work than any honest one.
var ErrTooMuch = errors.New("it expands to too much")

// UnknownError says that a value hangs on something that cannot be known.
type UnknownError struct {
	// Text is what was to be expanded.
	Text string
	// Reason is the first such thing.
	Reason string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("expanding %s: %s cannot be known", e.Text, e.Reason)
}

// Makefile is a Makefile's variables.
type Makefile struct {
	options   Options
	fsys      fs.FS
	variables map[string]*variable
	// names are those of variables in the order of their first definition.
	names []string
	// files are those that were read, as in MAKEFILE_LIST.
	files []string
	// unknown are the reasons that markers stand for.
	unknown    []string
	complaints []string
	// absent is a file that should have been included; what no line has set may
	// be set there.
	absent string
	// depth, steps and bytes bound what is expanded.
	depth, steps, bytes int
	err                 error
}

// variable is a name's value.
type variable struct {
	value string
	// simple values are expanded already.
	simple bool
	// strength is who has set it.
	strength int
}

// The strengths; an assignment is ignored where a stronger one was made.
const (
	fromFile = iota
	fromOverride
	fromCommandLine
)

// Bounds of what a Makefile can ask for.
const (
	maxDepth  = 100
	maxSteps  = 200_000
	maxBytes  = 32 << 20
	maxResult = 1 << 20
	maxFile   = 1 << 20
)

// Read reads the Makefile name of a folder; in a template, Makefile.in, what
// configure would fill in is unknown. The error wraps fs.ErrNotExist, or
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

// substituted are the places of a template that configure fills in.
var substituted = regexp.MustCompile(`@[A-Za-z_0-9]+@`)

// errTooLarge says that a file is longer than any honest Makefile.
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
		return "", errors.New("it is no file")
	}
	text, err := fs.ReadFile(fsys, name)
	if err == nil && bytes.Contains(text, []byte(marker)) {
		err = errors.New("it is no text")
	}
	return string(text), err
}

// Expand returns what text expands to once all lines were read. The error is
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

// Complaints are what the file's own $(error) and $(warning) say.
func (m *Makefile) Complaints() []string { return slices.Clone(m.complaints) }

// marker starts and ends the number of a reason within a value.
const marker = "\x00"

// unknowable returns a text that stands for something unknown.
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

// set makes v the value of a name, unless a stronger one is there.
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

// automatic are variables that only rules and $(call) have.
var automatic = regexp.MustCompile(`^[0-9@<^+*%?|-][DF]?$`)

// value returns what a name stands for; "" when it was never set.
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

// absolute returns where a name of a file leads.
func (m *Makefile) absolute(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(m.options.Dir, name)
}

// inside returns the name of a file within the folder.
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
