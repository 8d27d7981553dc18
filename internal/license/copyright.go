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

// maxPattern is PATH_MAX of Linux in bytes; longer patterns are ignored.
const maxPattern = 4096

// Copyright is a machine-readable copyright file
// (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/).
type Copyright struct {
	files []stanza
	// header is the header paragraph, which may have a licence.
	header stanza
	// texts are the texts of stand-alone License paragraphs, by lower-case name.
	texts map[string]string
	// upstream are the paragraphs that apply to upstream's files.
	upstream []stanza
}

// stanza is a paragraph with the licence of a set of files.
type stanza struct {
	patterns []string
	// synopsis is the first line of the License field, text the rest.
	synopsis, text string
	// copyright is the Copyright field.
	copyright string
}

// Read parses a copyright file. The error is ErrNotMachineReadable for a file
// without the header of the format, or the syntax error of a file with it.
func Read(text string) (Copyright, error) {
	s := debian.NewScanner(strings.NewReader(relevant(text)))
	s.Comments = true
	if !s.Scan() || !isHeader(s.Paragraph()) {
		return Copyright{}, ErrNotMachineReadable
	}
	c := Copyright{texts: map[string]string{}, header: newStanza(s.Paragraph())}
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
	c.upstream = c.upstreamStanzas()
	return c, nil
}

// fields are the names of the fields that Read uses, in lower case.
var fields = map[string]bool{"format": true, "format-specification": true, "files": true, "copyright": true, "license": true}

// relevant replaces the lines of all other fields by comments, so that syntax errors
// in them are ignored.
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

// isHeader reports whether p is the header paragraph of the format. Drafts of the
// format named the field Format-Specification.
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

// Upstream returns the licence of all files except the packaging below debian/. It
// ignores paragraphs whose patterns are all overridden by later paragraphs.
func (c Copyright) Upstream() (License, error) {
	if len(c.upstream) == 0 {
		return License{}, errors.New("the copyright file has no Files paragraph for upstream's files")
	}
	return c.license(c.upstream)
}

// upstreamStanzas returns the paragraphs that apply to upstream's files, or the
// header if there are none.
func (c Copyright) upstreamStanzas() []stanza {
	last := map[string]int{}
	for i, st := range c.files {
		for _, p := range st.patterns {
			last[trimDot(p)] = i
		}
	}
	var out []stanza
	for i, st := range c.files {
		if !isPackaging(st) && !overridden(st, i, last) {
			out = append(out, st)
		}
	}
	if len(out) == 0 && c.header.synopsis != "" {
		out = []stanza{c.header}
	}
	return out
}

// isPackaging reports whether all patterns of a paragraph are below debian/.
func isPackaging(st stanza) bool {
	return !slices.ContainsFunc(st.patterns, func(p string) bool {
		p = trimDot(p)
		return p != "debian" && !strings.HasPrefix(p, "debian/")
	})
}

// overridden reports whether later paragraphs match all files of st, the paragraph at
// index: for each pattern of st a later paragraph has the same pattern, or a directory
// above it followed by "*". last maps patterns to their last paragraph.
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
			return License{}, fmt.Errorf("the paragraph of %s has no License field", strings.Join(st.patterns, " "))
		}
		parts = append(parts, r.synopsis(st))
	}
	l := License{Expression: all(parts).text(), References: r.references()}
	return l, Valid(l.Expression)
}

// trimDot removes the prefix "./" of patterns in older files.
func trimDot(s string) string { return strings.TrimPrefix(s, "./") }
