package layout

import (
	"fmt"
	"strings"
)

// maxControl bounds a control file, in bytes.
const maxControl = 1 << 20

// setting is one assignment of a control file. The bytes from start to end
// are its value as written.
type setting struct {
	name, value string
	line        int
	start, end  int
}

// controlError is what PostgreSQL would refuse a control file for.
type controlError struct {
	line int
	text string
}

func (e *controlError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

// parseControl reads a control file as PostgreSQL does: with the grammar of
// postgresql.conf (src/backend/utils/misc/guc-file.l), in which "=" is
// optional, a value is a word, a number or a quoted string, and every setting
// has its own line.
func parseControl(text string) ([]setting, error) {
	var settings []setting
	lx := configLexer{src: text, line: 1}
	for {
		name := lx.next()
		switch name.kind {
		case configEnd:
			return settings, nil
		case configEOL:
			continue
		case configWord:
		default:
			return nil, &controlError{name.line, fmt.Sprintf("syntax error near %q", name.text)}
		}
		value := lx.next()
		if value.kind == configEquals {
			value = lx.next()
		}
		if value.kind != configWord && value.kind != configValue {
			return nil, &controlError{name.line, fmt.Sprintf("%s has no value", name.text)}
		}
		if !isIdentifier(name.text) {
			return nil, &controlError{name.line, fmt.Sprintf("%q is no name", name.text)}
		}
		settings = append(settings, setting{name.text, value.value, name.line, value.start, value.end})
		if end := lx.next(); end.kind != configEOL && end.kind != configEnd {
			return nil, &controlError{end.line, fmt.Sprintf("syntax error near %q", end.text)}
		} else if end.kind == configEnd {
			return settings, nil
		}
	}
}

// isIdentifier tells a setting's name, perhaps qualified, from other words.
func isIdentifier(s string) bool {
	first, second, qualified := strings.Cut(s, ".")
	return isPlainName(first) && (!qualified || isPlainName(second))
}

func isPlainName(s string) bool {
	for i := range len(s) {
		if !isLetter(s[i]) && (i == 0 || !isDigit(s[i])) {
			return false
		}
	}
	return s != ""
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isLetter is {LETTER} of guc-file.l: any byte outside ASCII is one.
func isLetter(c byte) bool { return c == '_' || c >= 0x80 || 'a' <= c|0x20 && c|0x20 <= 'z' }
