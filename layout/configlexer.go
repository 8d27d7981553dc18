package layout

import "strings"

// configKind is the kind of a token of postgresql.conf's grammar.
type configKind uint8

const (
	configEnd    configKind = iota
	configEOL               // the end of a line
	configWord              // an identifier or an unquoted string
	configValue             // a quoted string or a number
	configEquals            // =
	configBad               // anything else
)

// configToken is a token; value is its text without quotes and escapes.
type configToken struct {
	kind        configKind
	text, value string
	line        int
	start, end  int
}

// configLexer splits a text into tokens of the grammar of postgresql.conf.
type configLexer struct {
	src       string
	pos, line int
}

// next returns the next token, configEnd at the end of the text.
func (lx *configLexer) next() configToken {
	for lx.pos < len(lx.src) && strings.IndexByte(" \t\r", lx.src[lx.pos]) >= 0 {
		lx.pos++
	}
	if lx.pos < len(lx.src) && lx.src[lx.pos] == '#' {
		if i := strings.IndexByte(lx.src[lx.pos:], '\n'); i >= 0 {
			lx.pos += i
		} else {
			lx.pos = len(lx.src)
		}
	}
	if lx.pos >= len(lx.src) {
		return configToken{kind: configEnd, line: lx.line, start: lx.pos, end: lx.pos}
	}
	t := configToken{line: lx.line, start: lx.pos}
	t.kind = lx.scan()
	t.end = lx.pos
	t.text = lx.src[t.start:t.end]
	t.value = t.text
	if t.kind == configValue && t.text[0] == '\'' {
		t.value = unquote(t.text)
	}
	return t
}

// scan moves behind the token at pos, which must not be white space.
func (lx *configLexer) scan() configKind {
	switch c := lx.src[lx.pos]; {
	case c == '\n':
		lx.pos++
		lx.line++
		return configEOL
	case c == '=':
		lx.pos++
		return configEquals
	case c == '\'':
		return lx.scanString()
	case isLetter(c):
		lx.pos++
		for lx.pos < len(lx.src) && (isLetter(lx.src[lx.pos]) || isDigit(lx.src[lx.pos]) || strings.IndexByte("-._:/", lx.src[lx.pos]) >= 0) {
			lx.pos++
		}
		return configWord
	case isDigit(c), strings.IndexByte("+-.", c) >= 0:
		return lx.scanNumber()
	}
	lx.pos++
	return configBad
}

// scanString moves behind a quoted string, which must end on the same line.
func (lx *configLexer) scanString() configKind {
	for i := lx.pos + 1; i < len(lx.src) && lx.src[i] != '\n'; i++ {
		switch {
		case lx.src[i] == '\\':
			if i+1 < len(lx.src) && lx.src[i+1] == '\n' {
				lx.pos = i
				return configBad
			}
			i++
		case lx.src[i] == '\'' && i+1 < len(lx.src) && lx.src[i+1] == '\'':
			i++
		case lx.src[i] == '\'':
			lx.pos = i + 1
			return configValue
		}
	}
	lx.pos++
	return configBad
}

// scanNumber moves behind an integer with an optional unit, or a real number. The
// text 1.2.3 is two tokens, as in PostgreSQL.
func (lx *configLexer) scanNumber() configKind {
	start := lx.pos
	if c := lx.src[lx.pos]; c == '+' || c == '-' {
		lx.pos++
	}
	if digits := lx.skip(isDigit); lx.pos < len(lx.src) && lx.src[lx.pos] == '.' {
		lx.pos++
		lx.skip(isDigit)
		lx.scanExponent()
	} else if digits == 0 {
		lx.pos = start + 1
		return configBad
	} else {
		if lx.src[lx.pos-1] == '0' && strings.HasPrefix(lx.src[lx.pos:], "x") {
			lx.pos++
			lx.skip(isHex)
		}
		lx.skip(isUnit)
	}
	return configValue
}

// scanExponent moves behind an exponent, if there is one.
func (lx *configLexer) scanExponent() {
	rest := strings.TrimLeft(lx.src[lx.pos:], "eE")
	if len(lx.src)-lx.pos-len(rest) != 1 {
		return
	}
	sign := 0
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		sign = 1
	}
	if len(rest) > sign && isDigit(rest[sign]) {
		lx.pos += 1 + sign
		lx.skip(isDigit)
	}
}

// skip moves behind the bytes for which is returns true, and returns their number.
func (lx *configLexer) skip(is func(byte) bool) int {
	start := lx.pos
	for lx.pos < len(lx.src) && is(lx.src[lx.pos]) {
		lx.pos++
	}
	return lx.pos - start
}

func isHex(c byte) bool  { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
func isUnit(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// unquote implements DeescapeQuotedString of guc-file.l.
func unquote(s string) string {
	s = s[1 : len(s)-1]
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\'' {
			i++ // a doubled quote
		}
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; {
		case strings.IndexByte("bfnrt", c) >= 0:
			b.WriteByte("\b\f\n\r\t"[strings.IndexByte("bfnrt", c)])
		case '0' <= c && c <= '7':
			n := 0
			for k := 0; k < 3 && i < len(s) && '0' <= s[i] && s[i] <= '7'; k++ {
				n = n<<3 + int(s[i]-'0')
				i++
			}
			i--
			b.WriteByte(byte(n))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
