package license

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// maxDepth bounds nested parentheses.
	maxDepth = 20
	// maxSynopsis bounds a list of short names, in bytes: the time it takes to
	// read one grows with the square. The longest of Debian have some hundred.
	maxSynopsis = 4096
)

// reader turns the first lines of License fields into expressions and
// collects the references it needs for them.
type reader struct {
	c    Copyright
	refs map[string]Reference
}

// synopsis reads the first line of a License field: short names joined by
// "and" and "or". "and" binds tighter, and a comma before either of them
// loosest (DEP-5, License specification).
func (r *reader) synopsis(st stanza) expression {
	if len(st.synopsis) > maxSynopsis || isProse(st.synopsis) {
		return r.unnamed(st.synopsis, st.text)
	}
	p := parser{words: tokens(st.synopsis), name: func(words []string) expression {
		return r.name(words, st)
	}}
	return p.list(0)
}

// isProse tells the first line of a text from short names: it is long, and
// some of what would be a name has spaces (which DEP-5 does not allow) and
// means nothing.
func isProse(line string) bool {
	prose := false
	words := tokens(line)
	p := parser{words: words, name: func(name []string) expression {
		text := strings.Join(name, " ")
		if len(name) > 1 && identifier(text) == "" && !strings.Contains(strings.ToLower(text), "exception") {
			prose = true
		}
		return expression{}
	}}
	p.list(0)
	return prose && len(words) >= proseWords
}

// proseWords is the number of words from which on a line may be prose.
const proseWords = 6

// unnamed refers to a licence by its text.
func (r *reader) unnamed(lines ...string) expression {
	ref := Reference{Text: strings.TrimSpace(strings.Join(lines, "\n"))}
	sum := sha256.Sum256([]byte(ref.Text))
	ref.ID = "LicenseRef-unnamed-" + hex.EncodeToString(sum[:4])
	r.refs[ref.ID] = ref
	return parsed(ref.ID)
}

// tokens splits a line into words, commas and parentheses. A comma counts
// where white space or nothing follows it.
func tokens(line string) []string {
	var out []string
	for _, w := range strings.Fields(line) {
		for strings.HasPrefix(w, "(") {
			out, w = append(out, "("), w[1:]
		}
		var tail []string
		for w != "" {
			last := w[len(w)-1:]
			if last != "," && last != ";" && (last != ")" || strings.Count(w, "(") >= strings.Count(w, ")")) {
				break
			}
			if last == ";" {
				last = ","
			}
			w, tail = w[:len(w)-1], append([]string{last}, tail...)
		}
		if w != "" {
			out = append(out, w)
		}
		out = append(out, tail...)
	}
	return out
}

// parser reads a list of tokens by recursive descent.
type parser struct {
	words []string
	name  func(words []string) expression
}

func (p *parser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return strings.ToLower(p.words[0])
}

func (p *parser) take(word string) bool {
	if p.peek() != word {
		return false
	}
	p.words = p.words[1:]
	return true
}

// list reads what commas separate, from left to right. A comma alone means
// "and".
func (p *parser) list(depth int) expression {
	left := p.choice(depth)
	for p.take(",") {
		or := p.take("or")
		if !or {
			p.take("and")
		}
		if len(p.words) == 0 || p.peek() == ")" {
			break
		}
		right := p.choice(depth)
		if or {
			left = either([]expression{left, right})
		} else {
			left = all([]expression{left, right})
		}
	}
	return left
}

// choice reads what "or" separates.
func (p *parser) choice(depth int) expression {
	parts := []expression{p.conjunction(depth)}
	for p.take("or") {
		parts = append(parts, p.conjunction(depth))
	}
	return either(parts)
}

// conjunction reads what "and" separates.
func (p *parser) conjunction(depth int) expression {
	parts := []expression{p.primary(depth)}
	for p.take("and") {
		parts = append(parts, p.primary(depth))
	}
	return all(parts)
}

// primary reads a name, which may have several words, or a group.
func (p *parser) primary(depth int) expression {
	if depth < maxDepth && p.take("(") {
		e := p.list(depth + 1)
		p.take(")")
		return e
	}
	var words []string
	for len(p.words) > 0 {
		w := p.peek()
		if w == "," || w == "and" || w == "or" || w == ")" && depth > 0 {
			break
		}
		words = append(words, p.words[0])
		p.words = p.words[1:]
	}
	return p.name(words)
}

// name returns the expression for one short name.
func (r *reader) name(words []string, st stanza) expression {
	name := strings.Join(words, " ")
	if id := identifier(name); id != "" {
		return parsed(id)
	}
	text, ok := r.c.texts[strings.ToLower(name)]
	if !ok {
		text = st.text
	}
	id := slug(canonical(name))
	if id == "" {
		return r.unnamed(name, text)
	}
	ref := Reference{ID: "LicenseRef-" + id, Name: name, Text: text}
	if old, ok := r.refs[ref.ID]; !ok || old.Text == "" {
		r.refs[ref.ID] = ref
	}
	return parsed(ref.ID)
}

// canonical gives the spellings of public domain one name.
func canonical(name string) string {
	switch strings.ToLower(name) {
	case "pd", "public domain", "public-domain":
		return "public-domain"
	}
	return name
}

// slug keeps what an SPDX idstring may hold: letters, digits, "-" and ".".
func slug(name string) string {
	var b strings.Builder
	for _, c := range strings.ReplaceAll(name, "+", "-plus") {
		switch {
		case c == '.' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z':
			b.WriteRune(c)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-.")
}
