package alternatives

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// value is the value of a variable; text is only valid if known is true.
type value struct {
	text  string
	known bool
}

// machine interprets the assignments and loops of a script.
type machine struct {
	vars   map[string]value
	links  []Link
	unread []Unread
	// branches counts the open if, case and while constructs.
	branches int
	steps    int
	expanded int // bytes
}

// pairs maps the index of each for, while and until to the index of its done.
func pairs(commands []command) map[int]int {
	ends := map[int]int{}
	var open []int
	for i, c := range commands {
		switch c.words[0].plain() {
		case "for", "while", "until":
			open = append(open, i)
		case "done":
			if len(open) > 0 {
				ends[open[len(open)-1]] = i
				open = open[:len(open)-1]
			}
		}
	}
	return ends
}

// run interprets the commands. A loop is a jump back to its first command, so
// nested loops of a script cause no recursion.
func (m *machine) run(commands []command, ends map[int]int) {
	var loops []loop
	for i := 0; i < len(commands); i++ {
		if m.steps++; m.steps > maxCommands {
			m.unread = append(m.unread, Unread{commands[i].line, fmt.Sprintf("the script takes more than %d steps", maxCommands)})
			return
		}
		c := commands[i]
		switch c.words[0].plain() {
		case "for":
			if end, ok := ends[i]; ok {
				l := m.loop(c, i, end)
				loops = append(loops, l)
				i = m.next(&loops, i)
			}
		case "done":
			if len(loops) > 0 && loops[len(loops)-1].end == i {
				i = m.next(&loops, i)
			} else {
				m.branches = max(0, m.branches-1)
			}
		case "if", "case", "while", "until":
			m.branches++
		case "fi", "esac":
			m.branches = max(0, m.branches-1)
		default:
			m.simple(c)
		}
	}
}

// loop is the state of a for loop.
type loop struct {
	name       string
	values     []value
	start, end int
}

// loop parses "for NAME in WORD…". A loop over unknown words runs once, with an
// unknown value.
func (m *machine) loop(c command, start, end int) loop {
	l := loop{start: start, end: end}
	if len(c.words) < 2 {
		return l
	}
	l.name = c.words[1].plain()
	if len(c.words) < 3 || c.words[2].plain() != "in" {
		l.values = []value{{}}
		return l
	}
	for _, w := range c.words[3:] {
		fields, err := m.expand(w)
		if err != nil {
			l.values = []value{{}}
			return l
		}
		m.steps += len(fields)
		globs := slices.ContainsFunc(w, func(p part) bool { return !p.quoted })
		for _, f := range fields { // an unquoted pattern names files
			l.values = append(l.values, value{f, !globs || !strings.ContainsAny(f, "*?[")})
		}
	}
	return l
}

// next assigns the next value to the variable of the innermost loop, or leaves
// the loop. It returns the index before the next command to run.
func (m *machine) next(loops *[]loop, at int) int {
	l := &(*loops)[len(*loops)-1]
	if len(l.values) == 0 {
		end := l.end
		*loops = (*loops)[:len(*loops)-1]
		return max(at, end)
	}
	m.vars[l.name], l.values = l.values[0], l.values[1:]
	return l.start
}

// simple interprets a simple command.
func (m *machine) simple(c command) {
	words := c.words
	switch words[0].plain() {
	case "export", "readonly", "local":
		words = words[1:]
	}
	for len(words) > 0 && m.assign(c, words[0]) {
		words = words[1:]
	}
	if len(words) == 0 || path.Base(words[0].plain()) != "update-alternatives" {
		return
	}
	var args []string
	for _, w := range words[1:] {
		fields, err := m.expand(w)
		if err != nil {
			m.unread = append(m.unread, Unread{c.line, err.Error()})
			return
		}
		args = append(args, fields...)
	}
	links, err := install(args)
	if err != nil {
		m.unread = append(m.unread, Unread{c.line, err.Error()})
	}
	m.links = append(m.links, links...)
}

// assign interprets w as NAME=VALUE and returns false if it is not an
// assignment. After an assignment in a branch that changes a variable its value
// is unknown, because conditions are not evaluated.
func (m *machine) assign(c command, w word) bool {
	if len(w) == 0 || w[0].kind != literal || w[0].quoted {
		return false
	}
	n := nameLength(w[0].text)
	if n == 0 || !strings.HasPrefix(w[0].text[n:], "=") {
		return false
	}
	name := w[0].text[:n]
	right := append(word{{kind: literal, text: w[0].text[n+1:], quoted: true}}, w[1:]...)
	text, err := m.join(right)
	v := value{text, err == nil}
	old, set := m.vars[name]
	if set && old != v && (m.branches > 0 || c.conditional) {
		v = value{}
	}
	m.vars[name] = v
	return true
}

// lookup returns the value of a part.
func (m *machine) lookup(p part) (string, error) {
	switch p.kind {
	case literal:
		return p.text, m.spend(p.text)
	case variable, defaulted:
		v, set := m.vars[p.text]
		if p.kind == defaulted && (!set || v.known && v.text == "") {
			return p.fallback, m.spend(p.fallback)
		}
		if !v.known {
			return "", fmt.Errorf("$%s has no known value", p.text)
		}
		return v.text, m.spend(v.text)
	}
	first, _, more := strings.Cut(p.text, "\n")
	if more {
		first += "…"
	}
	return "", fmt.Errorf("%s has no known value", first)
}

var (
	errTooLong = errors.New("a word is too long")
	errTooMuch = fmt.Errorf("the script expands to more than %d bytes", maxExpanded)
)

// spend enforces maxExpanded: a script can expand one long value many times.
func (m *machine) spend(text string) error {
	if m.expanded += len(text); m.expanded > maxExpanded {
		return errTooMuch
	}
	return nil
}

// join expands w without splitting, as in an assignment.
func (m *machine) join(w word) (string, error) {
	var b strings.Builder
	for _, p := range w {
		text, err := m.lookup(p)
		if err != nil {
			return "", err
		}
		if b.Len()+len(text) > maxValue {
			return "", errTooLong
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// expand expands w into fields: the value of an unquoted variable is split at
// white space (POSIX shell, 2.6.5 Field Splitting).
func (m *machine) expand(w word) ([]string, error) {
	var fields []string
	open := false
	total := 0
	put := func(text string) {
		if !open {
			fields, open = append(fields, ""), true
		}
		fields[len(fields)-1] += text
	}
	for _, p := range w {
		text, err := m.lookup(p)
		if err != nil {
			return nil, err
		}
		if total += len(text); total > maxValue {
			return nil, errTooLong
		}
		if p.quoted || p.kind == literal {
			put(text)
			continue
		}
		for i, f := range strings.Fields(text) {
			if i > 0 || strings.TrimLeft(text, " \t\n") != text {
				open = false
			}
			put(f)
		}
		if strings.TrimRight(text, " \t\n") != text {
			open = false
		}
	}
	return fields, nil
}
