package makefile

import (
	"io/fs"
	"maps"
	"path"
	"strconv"
	"strings"
)

// otherFunctions are the functions that need more than their arguments, with their
// maximal number of arguments. Functions with 0 are not supported.
var otherFunctions = map[string]int{
	"if": 3, "or": 99, "and": 99, "foreach": 3, "call": 99, "wildcard": 1, "realpath": 1, "abspath": 1,
	"value": 1, "origin": 1, "flavor": 1, "eval": 1, "shell": 1, "error": 1, "warning": 1, "info": 1,
	"file": 0, "guile": 0, "let": 0, "intcmp": 0,
}

// isFunction reports whether name is the name of a function.
func isFunction(name string) bool {
	_, other := otherFunctions[name]
	_, text := textFunctions[name]
	return text || other
}

// comparisonsPerStep is how many words are compared in the time of a step.
const comparisonsPerStep = 100

// apply calls a function. If an argument is unknown, the result is unknown.
func (m *Makefile) apply(name, text string, opening byte) string {
	if f, ok := textFunctions[name]; ok {
		a := arguments(text, opening, f.arguments)
		if reason := m.expandAll(a); reason != "" {
			return reason
		}
		for len(a) < f.arguments {
			a = append(a, "")
		}
		if strings.HasPrefix(name, "filter") { // which compares each word with each pattern
			m.steps += len(strings.Fields(a[0])) * len(strings.Fields(a[1])) / comparisonsPerStep
		}
		if m.steps > maxSteps {
			m.err = ErrTooMuch
			return ""
		}
		return f.do(a)
	}
	a := arguments(text, opening, max(1, otherFunctions[name]))
	switch name {
	case "if":
		return m.choose(a)
	case "or", "and":
		return m.logic(name == "or", a)
	case "foreach":
		return m.foreach(a)
	}
	if reason := m.expandAll(a); reason != "" {
		return reason
	}
	if name == "call" {
		return m.call(a)
	}
	return m.applyUnary(name, a[0])
}

// expandAll expands arguments in place. If one is unknown it returns a marker.
func (m *Makefile) expandAll(a []string) string {
	for i := range a {
		a[i] = m.expand(a[i])
		if reason, unknown := marked(a[i]); unknown {
			return m.unknowable(m.unknown[reason])
		}
	}
	return ""
}

// applyUnary calls a function of one argument.
func (m *Makefile) applyUnary(name, argument string) string {
	switch name {
	case "wildcard":
		return m.wildcard(argument)
	case "abspath":
		return each(m.absolute)([]string{argument})
	case "realpath":
		return each(m.real)([]string{argument})
	case "value":
		if v := m.variables[argument]; v != nil {
			return v.value
		}
	case "origin":
		return m.origin(argument)
	case "flavor":
		return m.flavor(argument)
	case "eval":
		m.lines(argument)
	case "shell":
		return m.shell(argument)
	case "error", "warning":
		if len(m.complaints) < maxDepth {
			m.complaints = append(m.complaints, strings.TrimSpace(argument))
		}
	case "info":
	default:
		return m.unknowable("$(" + name + ")")
	}
	return ""
}

// choose is $(if).
func (m *Makefile) choose(a []string) string {
	condition := m.expand(strings.TrimSpace(a[0]))
	if i, unknown := marked(condition); unknown {
		return m.unknowable(m.unknown[i])
	}
	switch {
	case condition != "" && len(a) > 1:
		return m.expand(a[1])
	case condition == "" && len(a) > 2:
		return m.expand(a[2])
	}
	return ""
}

// logic is $(or), or $(and).
func (m *Makefile) logic(or bool, a []string) string {
	value := ""
	for _, argument := range a {
		value = m.expand(strings.TrimSpace(argument))
		if i, unknown := marked(value); unknown {
			return m.unknowable(m.unknown[i])
		}
		if (value != "") == or {
			break
		}
	}
	return value
}

func (m *Makefile) foreach(a []string) string {
	if len(a) < 3 {
		return ""
	}
	name, list := m.expand(strings.TrimSpace(a[0])), m.expand(a[1])
	if i, unknown := marked(name + list); unknown {
		return m.unknowable(m.unknown[i])
	}
	var out []string
	size := 0
	for _, w := range strings.Fields(list) {
		m.during(map[string]string{name: w}, func() { out = append(out, m.expand(a[2])) })
		if size += len(out[len(out)-1]) + 1; size > maxResult || m.err != nil {
			m.err = ErrTooMuch
			return ""
		}
	}
	return strings.Join(out, " ")
}

// call expands a variable with arguments as $(1) and so on.
func (m *Makefile) call(a []string) string {
	name := strings.TrimSpace(a[0])
	if isFunction(name) {
		return m.apply(name, strings.Join(a[1:], ","), '(')
	}
	values := map[string]string{}
	for i := range max(len(a), 10) {
		values[strconv.Itoa(i)] = ""
	}
	for i, argument := range a {
		values[strconv.Itoa(i)] = argument
	}
	out := ""
	m.during(maps.Clone(values), func() { out = m.value(name) })
	return out
}

func (m *Makefile) origin(name string) string {
	switch v := m.variables[name]; {
	case v == nil:
		return "undefined"
	case v.strength == fromOverride:
		return "override"
	case v.strength == fromCommandLine:
		return "command line"
	}
	return "file"
}

func (m *Makefile) flavor(name string) string {
	switch v := m.variables[name]; {
	case v == nil:
		return "undefined"
	case v.simple:
		return "simple"
	}
	return "recursive"
}

// wildcard returns the files that patterns match, sorted as make 4.3 does it.
func (m *Makefile) wildcard(patterns string) string {
	var out []string
	for _, word := range strings.Fields(patterns) {
		pattern, ok := m.inside(word)
		if !ok {
			continue
		}
		found, err := fs.Glob(m.fsys, pattern)
		if err != nil {
			continue
		}
		hidden := strings.HasPrefix(path.Base(pattern), ".")
		for _, name := range found {
			if hidden || !strings.HasPrefix(path.Base(name), ".") {
				out = append(out, alike(word, pattern, name))
			}
		}
	}
	return strings.Join(out, " ")
}

// alike returns the name of a file in the folder, relative or absolute like the
// word of $(wildcard) that matched it.
func alike(word, pattern, name string) string {
	if before, ok := strings.CutSuffix(word, pattern); ok {
		return before + name
	}
	return name
}

// real returns the absolute path of a file that exists; "" otherwise.
func (m *Makefile) real(name string) string {
	if local, ok := m.inside(name); ok {
		if _, err := fs.Stat(m.fsys, local); err == nil {
			return m.absolute(name)
		}
	}
	return ""
}
