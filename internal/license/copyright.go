package license

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
)

// ErrNotMachineReadable is the error for a copyright file that is not in the
// format of DEP-5.
var ErrNotMachineReadable = errors.New("the copyright file is not machine-readable (DEP-5)")

// maxPattern is Linux' PATH_MAX, in bytes; a longer pattern is passed over.
const maxPattern = 4096

// Copyright is a machine-readable copyright file
// (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/).
type Copyright struct {
	files []stanza
	// whole is the licence of the header paragraph.
	whole stanza
	// texts are those of stand-alone License paragraphs, by lower-case name.
	texts map[string]string
	// upstream are the paragraphs that count for upstream's files.
	upstream []stanza
}

// stanza is a paragraph that says what some files are under.
type stanza struct {
	patterns []string
	// synopsis is the first line of the License field, text the rest.
	synopsis, text string
	// copyright is the Copyright field.
	copyright string
}

// Read reads a copyright file. The error is ErrNotMachineReadable, or says
// what is wrong with a file that claims to be in the format.
func Read(text string) (Copyright, error) {
	s := debian.NewScanner(strings.NewReader(relevant(text)))
	s.Comments = true
	if !s.Scan() || !isHeader(s.Paragraph()) {
		return Copyright{}, ErrNotMachineReadable
	}
	c := Copyright{texts: map[string]string{}, whole: newStanza(s.Paragraph())}
	for s.Scan() {
		p := s.Paragraph()
		st := newStanza(p)
		switch {
		case p.Get("Files") != "":
			st.patterns = slices.DeleteFunc(strings.Fields(p.Get("Files")), func(p string) bool { return len(p) > maxPattern })
			c.files = append(c.files, st)
		case st.synopsis != "":
			c.texts[strings.ToLower(st.synopsis)] = st.text
		}
	}
	if err := s.Err(); err != nil {
		return Copyright{}, fmt.Errorf("reading a copyright file: %w", err)
	}
	c.upstream = c.counted()
	return c, nil
}

// fields are those that say what is under which licence, in lower case.
var fields = map[string]bool{"format": true, "format-specification": true, "files": true, "copyright": true, "license": true}

// relevant makes comments of the lines of all other fields: what is wrong in
// them does not matter here.
func relevant(text string) string {
	var b strings.Builder
	skip := false
	for line := range strings.Lines(text) {
		name, _, ok := strings.Cut(line, ":")
		name = strings.TrimRight(name, " \t")
		switch {
		case ok && name != "" && !strings.ContainsAny(name, " \t#"):
			skip = !fields[strings.ToLower(name)]
		case strings.TrimSpace(line) == "":
			skip = false
		}
		if skip {
			line = "#\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// isHeader tells the first paragraph of the format; drafts of it called the
// field Format-Specification.
func isHeader(p debian.Paragraph) bool {
	return p.Get("Format") != "" || p.Get("Format-Specification") != ""
}

func newStanza(p debian.Paragraph) stanza {
	synopsis, text, _ := strings.Cut(p.Get("License"), "\n")
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.TrimSpace(l) == "." {
			lines[i] = ""
		}
	}
	return stanza{synopsis: strings.TrimSpace(synopsis), text: strings.Join(lines, "\n"), copyright: p.Get("Copyright")}
}

// Upstream returns the licence of everything but the packaging: of all files
// except those below debian/. Paragraphs that later ones override wholly do
// not count.
func (c Copyright) Upstream() (License, error) {
	if len(c.upstream) == 0 {
		return License{}, errors.New("the copyright file has no Files paragraph for upstream's files")
	}
	return c.license(c.upstream)
}

// counted returns the paragraphs that count for upstream's files, the header
// where there is no other.
func (c Copyright) counted() []stanza {
	last := map[string]int{}
	for i, st := range c.files {
		for _, p := range st.patterns {
			last[trimDot(p)] = i
		}
	}
	var counted []stanza
	for i, st := range c.files {
		if !isPackaging(st) && !overridden(st, i, last) {
			counted = append(counted, st)
		}
	}
	if len(counted) == 0 && c.whole.synopsis != "" {
		counted = []stanza{c.whole}
	}
	return counted
}

func isPackaging(st stanza) bool {
	return !slices.ContainsFunc(st.patterns, func(p string) bool {
		p = trimDot(p)
		return p != "debian" && !strings.HasPrefix(p, "debian/")
	})
}

// overridden reports whether later paragraphs match all that st, the one at
// index, does: for each of its patterns they have the same one, or "*" after a
// part of it that ends in "/". last has the last paragraph of each pattern.
func overridden(st stanza, index int, last map[string]int) bool {
	return !slices.ContainsFunc(st.patterns, func(p string) bool {
		p = trimDot(p)
		later := last[p] > index || last["*"] > index
		for i := 0; i < len(p) && !later; i++ {
			later = p[i] == '/' && last[p[:i+1]+"*"] > index
		}
		return !later
	})
}

// license joins the licences of stanzas.
func (c Copyright) license(stanzas []stanza) (License, error) {
	r := reader{c: c, refs: map[string]*reference{}, known: map[string]string{}}
	var parts []expression
	for _, st := range stanzas {
		if st.synopsis == "" && st.text == "" {
			return License{}, fmt.Errorf("the paragraph for %s has no License", strings.Join(st.patterns, " "))
		}
		parts = append(parts, r.synopsis(st))
	}
	l := License{Expression: all(parts).text(), References: r.references()}
	return l, check(l.Expression)
}

// trimDot removes the "./" that older files begin patterns with.
func trimDot(s string) string { return strings.TrimPrefix(s, "./") }
