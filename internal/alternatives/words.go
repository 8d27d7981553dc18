package alternatives

import "strings"

// partKind is the type of a part.
type partKind uint8

const (
	literal   partKind = iota
	variable           // text is the name
	defaulted          // text is the name, fallback the value when it is unset
	unknown            // text is the construct, such as $(…)
)

// part is a piece of a shell word.
type part struct {
	kind     partKind
	text     string
	fallback string
	quoted   bool
}

// word is a shell word before expansion.
type word []part

// plain returns the text of a word without quotes and expansions, "" for other
// words.
func (w word) plain() string {
	if len(w) == 1 && w[0].kind == literal && !w[0].quoted {
		return w[0].text
	}
	return ""
}

// command is a simple command: its words and the line of the first one.
// conditional is true after && and ||.
type command struct {
	words       []word
	line        int
	conditional bool
}

// lexer splits a script into commands.
type lexer struct {
	src         string
	pos         int
	line        int
	commands    []command
	words       []word
	started     int
	conditional bool
	heredocs    []string
}

// split returns the simple commands of a script in the order of its text.
// Keywords are separate commands.
func split(script string) []command {
	lx := &lexer{src: script, line: 1}
	for lx.pos < len(lx.src) {
		lx.step()
	}
	lx.finish(false)
	return lx.commands
}

// step reads one word or operator.
func (lx *lexer) step() {
	switch c := lx.src[lx.pos]; {
	case c == '\n':
		lx.finish(false)
		lx.pos++
		lx.line++
		lx.skipHeredocs()
	case c == ' ' || c == '\t' || c == '\r':
		lx.pos++
	case c == '\\' && strings.HasPrefix(lx.src[lx.pos:], "\\\n"):
		lx.pos += 2
		lx.line++
	case c == '#':
		lx.skipTo('\n')
	case strings.IndexByte(";&|()", c) >= 0:
		n := 1
		if rest := lx.src[lx.pos:]; strings.HasPrefix(rest, "&&") || strings.HasPrefix(rest, "||") {
			n = 2
		}
		lx.pos += n
		lx.finish(n == 2)
	case c == '<' || c == '>':
		lx.redirect()
	default:
		lx.add(lx.word())
	}
}

// add appends a word to the command being read.
func (lx *lexer) add(w word) {
	if len(lx.words) == 0 {
		lx.started = lx.line
	}
	lx.words = append(lx.words, w)
}

// keywords are commands of their own if they are the first word; the next word
// starts a new command.
var keywords = map[string]bool{
	"if": true, "then": true, "else": true, "elif": true, "fi": true, "do": true, "done": true,
	"while": true, "until": true, "esac": true, "{": true, "}": true, "!": true,
}

// finish ends the current command; conditional is true if its exit status
// decides whether the next one runs.
func (lx *lexer) finish(conditional bool) {
	words := lx.words
	for len(words) > 0 && keywords[words[0].plain()] {
		lx.commands = append(lx.commands, command{words[:1], lx.started, false})
		words = words[1:]
	}
	if len(words) > 0 {
		lx.commands = append(lx.commands, command{words, lx.started, lx.conditional})
	}
	lx.words, lx.conditional = nil, conditional
}

// redirect skips a redirection and records the delimiter of a here-document.
func (lx *lexer) redirect() {
	start := lx.pos
	for lx.pos < len(lx.src) && strings.IndexByte("<>&|-", lx.src[lx.pos]) >= 0 {
		lx.pos++
	}
	op := lx.src[start:lx.pos]
	for lx.pos < len(lx.src) && (lx.src[lx.pos] == ' ' || lx.src[lx.pos] == '\t') {
		lx.pos++
	}
	var target strings.Builder
	for _, p := range lx.word() {
		target.WriteString(p.text)
	}
	if strings.HasPrefix(op, "<<") {
		lx.heredocs = append(lx.heredocs, target.String())
	}
}

// skipHeredocs skips the here-documents that start at the current line.
func (lx *lexer) skipHeredocs() {
	for _, delimiter := range lx.heredocs {
		for lx.pos < len(lx.src) {
			line, _, found := strings.Cut(lx.src[lx.pos:], "\n")
			lx.pos = min(len(lx.src), lx.pos+len(line)+1)
			if found {
				lx.line++
			}
			if strings.TrimLeft(line, "\t") == delimiter {
				break
			}
		}
	}
	lx.heredocs = nil
}

// skipTo moves to the next byte c, or to the end.
func (lx *lexer) skipTo(c byte) {
	if i := strings.IndexByte(lx.src[lx.pos:], c); i >= 0 {
		lx.pos += i
		return
	}
	lx.pos = len(lx.src)
}
