package license

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// maxDepth limits nested parentheses.
	maxDepth = 20
	// maxSynopsis limits the length of a list of short names in bytes, because the
	// time to parse one grows with the square of its length. The longest lists in
	// Debian have a few hundred bytes.
	maxSynopsis = 4096
)

// reader converts the first lines of License fields to expressions and collects the
// references.
type reader struct {
	c    Copyright
	refs map[string]*reference
	// known caches the identifiers of names with a stand-alone paragraph.
	known map[string]string
}

// reference collects the texts of a Reference.
type reference struct {
	name  string
	texts []string
	seen  map[string]bool
}

// refer adds a reference, or a text to an existing reference.
func (r *reader) refer(id, name, text string) expression {
	ref, ok := r.refs[id]
	if !ok {
		ref = &reference{name: name, seen: map[string]bool{}}
		r.refs[id] = ref
	}
	if text = strings.TrimSpace(text); text != "" && !ref.seen[text] {
		ref.seen[text] = true
		ref.texts = append(ref.texts, text)
	}
	return parsed(id)
}

// references returns the references sorted by ID. If a name, such as public-domain, has
// several texts in a file, the reference has all of them.
func (r *reader) references() []Reference {
	var out []Reference
	for id, ref := range r.refs {
		out = append(out, Reference{ID: id, Name: ref.name, Text: strings.Join(ref.texts, "\n\n")})
	}
	return sortedReferences(out)
}

// synopsis parses the first line of a License field: short names joined by "and" and
// "or". "and" has precedence over "or"; a comma before either of them has the lowest
// precedence (DEP-5, License specification).
func (r *reader) synopsis(st stanza) expression {
	if len(st.synopsis) > maxSynopsis || isProse(st.synopsis) {
		return r.unnamed(st.synopsis, st.text)
	}
	p := parser{words: tokens(st.synopsis), name: func(words []string) expression {
		return r.name(words, st)
	}}
	return p.list(0)
}

// isProse reports whether a line is the first line of a text and not a list of short
// names: it is long, and contains an unknown name with spaces, which DEP-5 does not
// allow.
func isProse(line string) bool {
	prose := false
	words := tokens(line)
	p := parser{words: words, name: func(name []string) expression {
		text := strings.Join(name, " ")
		if len(name) > 1 && identifier(text, "") == "" && !strings.Contains(strings.ToLower(text), "exception") {
			prose = true
		}
		return expression{}
	}}
	p.list(0)
	return prose && len(words) >= proseWords
}

// proseWords is the minimum number of words of prose.
const proseWords = 6

// unnamed returns a reference whose ID is a digest of the text.
func (r *reader) unnamed(lines ...string) expression {
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	sum := sha256.Sum256([]byte(text))
	return r.refer("LicenseRef-unnamed-"+hex.EncodeToString(sum[:8]), "", text)
}

// tokens splits a line into words, commas and parentheses. A comma is a separate token
// only at the end of a word.
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

// parser parses a list of tokens by recursive descent.
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

// takeAnd takes "and" or "and/or". A user who complies with both licences is safe under
// either meaning of "and/or".
func (p *parser) takeAnd() bool { return p.take("and") || p.take("and/or") }

// list parses a list separated by commas, from left to right. A comma without an
// operator has the operator of the next comma ("A, B, or C"), by default "and".
func (p *parser) list(depth int) expression {
	items, operators := []expression{p.choice(depth)}, []string{}
	for p.take(",") {
		operator := ""
		if p.take("or") {
			operator = "or"
		} else if p.takeAnd() {
			operator = "and"
		}
		if len(p.words) == 0 || p.peek() == ")" {
			break
		}
		items, operators = append(items, p.choice(depth)), append(operators, operator)
	}
	for i := len(operators) - 2; i >= 0; i-- {
		operators[i] = cmp.Or(operators[i], operators[i+1])
	}
	left := items[0]
	for i, operator := range operators {
		if operator == "or" {
			left = either([]expression{left, items[i+1]})
		} else {
			left = all([]expression{left, items[i+1]})
		}
	}
	return left
}

// choice parses alternatives separated by "or".
func (p *parser) choice(depth int) expression {
	parts := []expression{p.conjunction(depth)}
	for p.take("or") {
		parts = append(parts, p.conjunction(depth))
	}
	return either(parts)
}

// conjunction parses names separated by "and".
func (p *parser) conjunction(depth int) expression {
	parts := []expression{p.primary(depth)}
	for p.takeAnd() {
		parts = append(parts, p.primary(depth))
	}
	return all(parts)
}

// primary parses a name, which may have several words, or a group in parentheses.
func (p *parser) primary(depth int) expression {
	if depth < maxDepth && p.take("(") {
		e := p.list(depth + 1)
		p.take(")")
		return e
	}
	var words []string
	for len(p.words) > 0 {
		w := p.peek()
		if w == "," || w == "and" || w == "and/or" || w == "or" || w == ")" && depth > 0 {
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
	id, text := r.identify(name, st)
	if id != "" {
		return parsed(id)
	}
	if id = slug(canonical(name)); id == "" {
		return r.unnamed(name, text)
	}
	return r.refer("LicenseRef-"+id, name, text)
}

// identify returns the SPDX identifier for a short name ("" for none), and the text of
// the licence from its stand-alone paragraph or from st.
func (r *reader) identify(name string, st stanza) (id, text string) {
	low := strings.ToLower(name)
	text, ok := r.c.texts[low]
	if !ok {
		return identifier(name, plain(st.text)), st.text
	}
	id, ok = r.known[low]
	if !ok {
		id = identifier(name, plain(text))
		r.known[low] = id
	}
	return id, text
}

// canonical normalizes the spellings of public domain.
func canonical(name string) string {
	switch strings.ToLower(name) {
	case "pd", "public domain", "public-domain":
		return "public-domain"
	}
	return name
}

// slug converts a name to an SPDX idstring: letters, digits, "-" and ".".
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
