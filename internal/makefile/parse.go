package makefile

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// reading is the state of parsing a file.
type reading struct {
	*Makefile
	// lines are the remaining lines.
	lines []string
	// rule means that a line with a leading tab belongs to a recipe.
	rule     bool
	branches []branch
}

// parse parses a file.
func (m *Makefile) parse(name, text string) {
	m.files = append(m.files, name)
	m.lines(text)
}

// lines parses the lines of a file or of $(eval).
func (m *Makefile) lines(text string) {
	if m.depth++; m.depth > maxDepth {
		m.err = ErrTooMuch
	}
	defer func() { m.depth-- }()
	r := &reading{Makefile: m, lines: strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")}
	for len(r.lines) > 0 && m.err == nil {
		line := r.logical()
		if r.rule && strings.HasPrefix(line, "\t") {
			continue
		}
		if line = strings.TrimLeft(uncommented(line), " \t"); strings.TrimSpace(line) != "" {
			r.statement(line) // space at the end of a value belongs to it
		}
	}
}

// logical removes and returns the next line with its continuation lines.
func (r *reading) logical() string {
	line := r.lines[0]
	r.lines = r.lines[1:]
	for continues(line) && len(r.lines) > 0 {
		line = strings.TrimRight(line[:len(line)-1], " \t") + " " + strings.TrimLeft(r.lines[0], " \t")
		r.lines = r.lines[1:]
	}
	return line
}

func continues(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// uncommented returns a line without its comment. A # in a reference or after a
// backslash starts no comment.
func uncommented(line string) string {
	depth := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '(', '{':
			if depth > 0 || i > 0 && line[i-1] == '$' {
				depth++
			}
		case ')', '}':
			depth = max(0, depth-1)
		case '#':
			if i > 0 && line[i-1] == '\\' {
				line = line[:i-1] + line[i:]
				i--
			} else if depth == 0 {
				return line[:i]
			}
		}
	}
	return line
}

// statement parses one line that does not belong to a recipe.
func (r *reading) statement(line string) {
	word, rest := cutWord(line)
	if r.condition(word, rest) {
		return
	}
	strength := fromFile
	for slices.Contains([]string{"export", "override", "private"}, word) {
		if word == "override" {
			strength = fromOverride
		}
		if rest == "" || word == "export" && !assigns(rest) {
			return
		}
		line = rest
		word, rest = cutWord(line)
	}
	if word == "define" {
		r.define(rest, strength)
		return
	}
	a, ok := parseAssignment(line)
	switch active, why := r.active(); {
	case !active && ok && why >= 0:
		r.taint(a.name, why, strength)
	case !active:
	case ok:
		r.rule = false
		r.assign(a, strength)
	case word == "include" || word == "-include" || word == "sinclude":
		r.include(rest, word == "include")
	case word == "undefine":
		delete(r.variables, r.expand(rest))
	default:
		r.other(line)
	}
}

// other parses a rule, or a line with a reference such as $(eval).
func (r *reading) other(line string) {
	if strings.HasPrefix(line, "$") {
		line = r.expand(line)
	}
	r.rule = strings.Contains(line, ":")
}

func assigns(line string) bool {
	_, ok := parseAssignment(line)
	return ok || strings.HasPrefix(line, "define ") || strings.HasPrefix(line, "override ")
}

// cutWord returns the first word of a line, and the rest.
func cutWord(line string) (word, rest string) {
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return line, ""
	}
	return line[:i], strings.TrimSpace(line[i:])
}

// assignment is one line that sets a variable.
type assignment struct{ name, operator, value string }

// parseAssignment parses an assignment. ok is false for other lines, such as rules.
func parseAssignment(line string) (assignment, bool) {
	depth := 0
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '(' || c == '{':
			depth++
		case c == ')' || c == '}':
			depth--
		case depth > 0:
		case c == '=':
			return split(line, i, i+1, "=")
		case (c == '+' || c == '?' || c == '!') && strings.HasPrefix(line[i+1:], "="):
			return split(line, i, i+2, line[i:i+2])
		case c == ':':
			colons := len(line[i:]) - len(strings.TrimLeft(line[i:], ":"))
			if !strings.HasPrefix(line[i+colons:], "=") {
				return assignment{}, false
			}
			return split(line, i, i+colons+1, ":=")
		}
	}
	return assignment{}, false
}

func split(line string, nameEnd, valueStart int, operator string) (assignment, bool) {
	a := assignment{strings.TrimSpace(line[:nameEnd]), operator, strings.TrimLeft(line[valueStart:], " \t")}
	// only a reference in the name may contain spaces
	return a, a.name != "" && (strings.Contains(a.name, "$") || !strings.ContainsAny(a.name, " \t"))
}

// assign executes an assignment.
func (m *Makefile) assign(a assignment, strength int) {
	name := m.expand(a.name)
	if _, unknown := marked(name); unknown || name == "" {
		return
	}
	old := m.variables[name]
	switch v := (variable{value: a.value, strength: strength}); a.operator {
	case "=":
		m.set(name, v)
	case ":=":
		v.value, v.simple = m.expand(a.value), true
		m.set(name, v)
	case "!=":
		v.value, v.simple = m.shell(m.expand(a.value)), true
		m.set(name, v)
	case "?=":
		if old == nil {
			m.set(name, v)
		}
	case "+=":
		if old == nil {
			m.set(name, v)
			return
		}
		if old.simple {
			v.value, v.simple = m.expand(a.value), true
		}
		if old.value != "" {
			v.value = old.value + " " + v.value
		}
		if len(v.value) > maxResult {
			m.err = ErrTooMuch
		}
		m.set(name, v)
	}
}

// taint makes a variable unknown, since a branch with an unknown condition assigns
// it.
func (m *Makefile) taint(name string, reason, strength int) {
	name = m.expand(name)
	value := m.unknowable(m.unknown[reason])
	if old := m.variables[name]; old != nil {
		m.set(name, variable{value: value, simple: old.simple, strength: strength})
		return
	}
	m.set(name, variable{value: value, strength: strength})
}

// define parses the lines of a define up to its endef.
func (r *reading) define(head string, strength int) {
	a, ok := parseAssignment(head)
	if !ok {
		a = assignment{name: head, operator: "="}
	}
	var body []string
	for open := 1; len(r.lines) > 0; {
		line := r.logical()
		switch word, _ := cutWord(strings.TrimSpace(uncommented(line))); word {
		case "define":
			open++
		case "endef":
			open--
		}
		if open == 0 {
			break
		}
		body = append(body, line)
	}
	a.value = strings.Join(body, "\n")
	switch active, why := r.active(); {
	case active:
		r.assign(a, strength)
	case why >= 0:
		r.taint(a.name, why, strength)
	}
}

// include reads other files. If a needed file does not exist, because make or
// configure generates it, variables that no line sets are unknown.
func (r *reading) include(names string, needed bool) {
	expanded := r.expand(names)
	if _, unknown := marked(expanded); unknown {
		expanded = names // the caller may know the reference
	}
	for _, name := range strings.Fields(expanded) {
		if len(r.files) > maxDepth {
			return
		}
		text, ok := r.included(name)
		if ok {
			r.parse(name, text)
		} else if needed && r.absent == "" {
			r.absent = name
		}
	}
}

func (r *reading) included(name string) (text string, ok bool) {
	if local, ok := r.inside(name); ok {
		text, err := readFile(r.fsys, local)
		if errors.Is(err, errTooLarge) {
			r.err = fmt.Errorf("including %s: %w", name, err)
		}
		if err == nil {
			return text, true
		}
	}
	if r.options.Outside == nil {
		return "", false
	}
	return r.options.Outside(path.Clean(name))
}
