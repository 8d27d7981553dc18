package layout

import (
	"regexp"
	"strings"
)

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

const (
	letter = `[A-Za-z_\x80-\x{10FFFF}]`
	id     = letter + `(?:` + letter + `|[0-9])*`
)

// configRules are the token rules of guc-file.l. The longest match is used, as in
// flex.
var configRules = []struct {
	kind configKind
	re   *regexp.Regexp
}{
	{configEOL, longest(`^\n`)},
	{configEquals, longest(`^=`)},
	{configWord, longest(`^` + letter + `(?:` + letter + `|[0-9\-._:/])*`)}, // ID, QUALIFIED_ID and UNQUOTED_STRING
	{configValue, longest(`^'(?:[^'\\\n]|\\.|'')*'`)},                       // STRING
	{configValue, longest(`^[+-]?(?:[0-9]+|0x[0-9a-fA-F]+)[a-zA-Z]*`)},      // INTEGER
	{configValue, longest(`^[+-]?[0-9]*\.[0-9]*(?:[Ee][+-]?[0-9]+)?`)},      // REAL
}

// longest compiles an expression with leftmost-longest matching.
func longest(expression string) *regexp.Regexp {
	re := regexp.MustCompile(expression)
	re.Longest()
	return re
}

// settingName matches the name of a setting, ID or QUALIFIED_ID.
var settingName = regexp.MustCompile(`^` + id + `(?:\.` + id + `)?$`)

// configBlank matches white space and a comment.
var configBlank = regexp.MustCompile(`^[ \t\r]*(#[^\n]*)?`)

// configLexer splits a text into tokens of the grammar of postgresql.conf.
type configLexer struct {
	src       string
	pos, line int
}

// next returns the next token, configEnd at the end of the text.
func (lx *configLexer) next() configToken {
	lx.pos += len(configBlank.FindString(lx.src[lx.pos:]))
	t := configToken{kind: configEnd, line: lx.line, start: lx.pos}
	if lx.pos < len(lx.src) {
		t.kind, t.text = configBad, lx.src[lx.pos:lx.pos+1]
		for _, rule := range configRules {
			if match := rule.re.FindString(lx.src[lx.pos:]); match != "" && (t.kind == configBad || len(match) > len(t.text)) {
				t.kind, t.text = rule.kind, match
			}
		}
	}
	lx.pos += len(t.text)
	lx.line += strings.Count(t.text, "\n")
	t.end, t.value = lx.pos, t.text
	if t.kind == configValue && t.text[0] == '\'' {
		t.value = unquote(t.text)
	}
	return t
}

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
