package makefile

import (
	"strings"
	"unicode"
)

// expand replaces the references of a text.
func (m *Makefile) expand(text string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	m.depth++
	defer func() { m.depth-- }()
	if m.steps++; m.steps > maxSteps || m.err != nil {
		m.err = ErrTooMuch
		return ""
	}
	if m.depth > maxDepth {
		return m.unknowable("a variable that refers to itself")
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found || rest == "" {
			break
		}
		switch rest[0] {
		case '$':
			b.WriteByte('$')
			text = rest[1:]
		case '(', '{':
			inside, after, ok := enclosed(rest)
			if !ok {
				b.WriteString(m.unknowable("a reference that does not end"))
				return b.String()
			}
			b.WriteString(m.reference(inside, rest[0]))
			text = after
		default:
			b.WriteString(m.value(rest[:1]))
			text = rest[1:]
		}
		if b.Len() > maxResult {
			m.err = ErrTooMuch
			return ""
		}
	}
	if m.bytes += b.Len(); m.bytes > maxBytes {
		m.err = ErrTooMuch
	}
	return b.String()
}

// enclosed splits a text that begins with a bracket after the matching bracket.
func enclosed(text string) (inside, rest string, ok bool) {
	opening, depth := text[0], 0
	for i := range len(text) {
		switch text[i] {
		case opening:
			depth++
		case closing(opening):
			if depth--; depth == 0 {
				return text[1:i], text[i+1:], true
			}
		}
	}
	return "", "", false
}

// arguments splits a text into at most most parts, at commas outside of nested
// brackets of the kind of opening.
func arguments(text string, opening byte, most int) []string {
	var parts []string
	depth, start := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == opening:
			depth++
		case c == closing(opening):
			depth--
		case c == ',' && depth == 0 && len(parts) < most-1:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

func closing(opening byte) byte {
	if opening == '{' {
		return '}'
	}
	return ')'
}

// reference expands the text inside $( ) or ${ }.
func (m *Makefile) reference(inside string, opening byte) string {
	if i := strings.IndexFunc(inside, unicode.IsSpace); i > 0 {
		if name := inside[:i]; isFunction(name) {
			return m.apply(name, strings.TrimLeft(inside[i:], " \t\n"), opening)
		}
	}
	if name, from, to, ok := substitution(inside); ok {
		from, to = m.expand(from), m.expand(to)
		if !strings.Contains(from, "%") {
			from, to = "%"+from, "%"+to
		}
		value := m.value(m.expand(name))
		if i, unknown := marked(from + to + value); unknown {
			return m.unknowable(m.unknown[i])
		}
		return patsubst(from, to, value)
	}
	return m.value(m.expand(inside))
}

// substitution parses NAME:FROM=TO.
func substitution(inside string) (name, from, to string, ok bool) {
	depth := 0
	for i := range len(inside) {
		switch c := inside[i]; {
		case c == '(' || c == '{':
			depth++
		case c == ')' || c == '}':
			depth--
		case c == ':' && depth == 0:
			from, to, ok = strings.Cut(inside[i+1:], "=")
			return inside[:i], from, to, ok
		}
	}
	return "", "", "", false
}

// shell returns the output of a command like $(shell): lines joined by spaces.
func (m *Makefile) shell(command string) string {
	if i, unknown := marked(command); unknown {
		return m.unknowable(m.unknown[i])
	}
	what := "the output of `" + command + "`"
	if m.options.Shell == nil {
		return m.unknowable(what)
	}
	if m.steps += maxSteps / 1000; m.steps > maxSteps {
		m.err = ErrTooMuch
		return ""
	}
	out, err := m.options.Shell(command)
	if err != nil || strings.Contains(out, marker) || len(out) > maxResult {
		return m.unknowable(what)
	}
	return strings.ReplaceAll(strings.TrimRight(out, "\n"), "\n", " ")
}
