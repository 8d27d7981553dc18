package alternatives

import "strings"

// word reads one word, up to unquoted space or an operator.
func (lx *lexer) word() word {
	var w word
	for lx.pos < len(lx.src) {
		c := lx.src[lx.pos]
		switch {
		case strings.IndexByte(" \t\r\n;&|()<>", c) >= 0:
			return w
		case c == '\'':
			lx.pos++
			start := lx.pos
			lx.skipTo('\'')
			w = append(w, part{kind: literal, text: lx.src[start:lx.pos], quoted: true})
			lx.line += strings.Count(lx.src[start:lx.pos], "\n")
			lx.pos = min(len(lx.src), lx.pos+1)
		case c == '"':
			lx.pos++
			w = append(w, lx.double()...)
		case c == '\\':
			w = lx.escape(w, false)
		case c == '$' || c == '`':
			w = append(w, lx.expansion(false))
		default:
			start := lx.pos
			for lx.pos < len(lx.src) && strings.IndexByte(" \t\r\n;&|()<>'\"\\$`", lx.src[lx.pos]) < 0 {
				lx.pos++
			}
			w = append(w, part{kind: literal, text: lx.src[start:lx.pos]})
		}
	}
	return w
}

// double reads the rest of a double-quoted string.
func (lx *lexer) double() word {
	w := word{{kind: literal, quoted: true}}
	for lx.pos < len(lx.src) {
		switch c := lx.src[lx.pos]; c {
		case '"':
			lx.pos++
			return w
		case '\\':
			w = lx.escape(w, true)
		case '$', '`':
			w = append(w, lx.expansion(true))
		default:
			start := lx.pos
			for lx.pos < len(lx.src) && strings.IndexByte("\"\\$`", lx.src[lx.pos]) < 0 {
				lx.pos++
			}
			text := lx.src[start:lx.pos]
			lx.line += strings.Count(text, "\n")
			w = append(w, part{kind: literal, text: text, quoted: true})
		}
	}
	return w
}

// escape reads a backslash and the character that it quotes. Inside double
// quotes it quotes only $, `, ", \ and the end of the line.
func (lx *lexer) escape(w word, inside bool) word {
	if lx.pos+1 >= len(lx.src) {
		lx.pos++
		return w
	}
	c := lx.src[lx.pos+1]
	text := lx.src[lx.pos+1 : lx.pos+2]
	switch {
	case c == '\n':
		lx.line++
		lx.pos += 2
		return w
	case inside && strings.IndexByte("$`\"\\", c) < 0:
		text = lx.src[lx.pos : lx.pos+2]
	}
	lx.pos += 2
	return append(w, part{kind: literal, text: text, quoted: true})
}

// expansion reads an expansion that starts with $ or a back quote.
func (lx *lexer) expansion(quoted bool) part {
	start := lx.pos
	if lx.src[lx.pos] == '`' {
		lx.pos++
		lx.skipTo('`')
		lx.pos = min(len(lx.src), lx.pos+1)
		return lx.since(start, quoted)
	}
	lx.pos++
	rest := lx.src[lx.pos:]
	if n := nameLength(rest); n > 0 {
		lx.pos += n
		return part{kind: variable, text: rest[:n], quoted: quoted}
	}
	switch {
	case strings.HasPrefix(rest, "("):
		lx.skipBalanced('(', ')')
	case strings.HasPrefix(rest, "{"):
		lx.skipBalanced('{', '}')
		return braced(lx.since(start, quoted))
	case rest != "" && strings.IndexByte("0123456789@*#?$!-", rest[0]) >= 0:
		lx.pos++
	default:
		return part{kind: literal, text: "$", quoted: quoted}
	}
	return lx.since(start, quoted)
}

// since returns the text from start to pos as a part with an unknown value.
func (lx *lexer) since(start int, quoted bool) part {
	text := lx.src[start:lx.pos]
	lx.line += strings.Count(text, "\n")
	return part{kind: unknown, text: text, quoted: quoted}
}

// skipBalanced moves behind the bracket that closes the one at pos. It ignores
// quotes, because the value of the skipped text is unknown anyway.
func (lx *lexer) skipBalanced(opening, closing byte) {
	depth := 0
	for ; lx.pos < len(lx.src); lx.pos++ {
		switch lx.src[lx.pos] {
		case opening:
			depth++
		case closing:
			if depth--; depth == 0 {
				lx.pos++
				return
			}
		}
	}
}

// braced parses ${NAME} and ${NAME:-word}; other expansions stay unknown.
func braced(p part) part {
	inner, ok := strings.CutSuffix(strings.TrimPrefix(p.text, "${"), "}")
	if !ok {
		return p
	}
	n := nameLength(inner)
	switch rest := inner[n:]; {
	case n == 0:
		return p
	case rest == "":
		return part{kind: variable, text: inner, quoted: p.quoted}
	case strings.HasPrefix(rest, ":-") && !strings.ContainsAny(rest, "$`\"'\\"):
		return part{kind: defaulted, text: inner[:n], fallback: rest[2:], quoted: p.quoted}
	}
	return p
}

// nameLength returns the length of the shell name at the start of s.
func nameLength(s string) int {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}
