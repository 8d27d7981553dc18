package debian

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Limits of a Scanner, in bytes and fields. The largest paragraph of the Debian
// archive, a Release file, has 0.4 MB; a package in an index has about 25 fields.
const (
	maxLine      = 1 << 20
	maxParagraph = 16 << 20
	maxFields    = 1000
)

// Scanner reads deb822 text one paragraph at a time. Like dpkg it accepts lines
// that end in CRLF, paragraphs separated by lines of white space, and a last line
// without newline.
type Scanner struct {
	// Comments ignores lines that start with "#", as in apt's source lists and
	// debian/control; elsewhere they are errors.
	Comments bool
	// Skip names fields, spelt as in the text, that are left out of paragraphs. It
	// saves the time to copy them.
	Skip map[string]bool

	lines   *bufio.Scanner
	line    int
	builder builder
	current Paragraph
	err     error
}

// NewScanner returns a Scanner that reads from r.
func NewScanner(r io.Reader) *Scanner {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 16<<10), maxLine)
	return &Scanner{lines: lines}
}

// Paragraph returns the paragraph that the last call of Scan found.
func (s *Scanner) Paragraph() Paragraph { return s.current }

// Line returns the number of the last line read, the first is 1.
func (s *Scanner) Line() int { return s.line }

// Err returns the first error, with its line; nil at the end of the text.
func (s *Scanner) Err() error { return s.err }

// Scan advances to the next paragraph. It returns false at the end of the
// text and at the first error.
func (s *Scanner) Scan() bool {
	s.current = Paragraph{}
	if s.err != nil {
		return false
	}
	for s.lines.Scan() {
		s.line++
		line := s.lines.Bytes()
		if s.Comments && len(line) > 0 && line[0] == '#' {
			continue
		}
		if len(bytes.Trim(line, " \t\r")) == 0 {
			if len(s.builder.fields) == 0 {
				continue
			}
			break
		}
		if err := s.builder.add(line, s.Skip); err != nil {
			s.err = fmt.Errorf("line %d: %w", s.line, err)
			return false
		}
	}
	if err := s.lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("longer than %d bytes", maxLine)
		}
		s.err = fmt.Errorf("line %d: %w", s.line+1, err)
		return false
	}
	s.current = s.builder.paragraph()
	return s.current.Len() > 0
}

// builder collects the lines of one paragraph. Its memory is used again for the
// next one: an index has 70,000 paragraphs.
type builder struct {
	// text holds the names and values of all fields, one after the other.
	text   []byte
	fields []span
	size   int
	// skipping is set in a field that is left out.
	skipping bool
}

// span is the position of a field in the text: of its name, of its value, and its
// end.
type span struct{ name, value, end int }

// add adds a line that is not blank.
func (b *builder) add(line []byte, skip map[string]bool) error {
	if b.size += len(line) + 1; b.size > maxParagraph {
		return fmt.Errorf("paragraph larger than %d bytes", maxParagraph)
	}
	if bytes.IndexByte(line, 0) >= 0 {
		return errors.New("a NUL byte in the text")
	}
	if line[0] == ' ' || line[0] == '\t' {
		if b.skipping {
			return nil
		}
		if len(b.fields) == 0 {
			return errors.New("continuation line without a field")
		}
		b.text = append(append(b.text, '\n'), bytes.TrimRight(line[1:], " \t\r")...)
		b.fields[len(b.fields)-1].end = len(b.text)
		return nil
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return fmt.Errorf("%.40q is not a field: it has no colon", line)
	}
	name = bytes.TrimRight(name, " \t")
	if b.skipping = skip[string(name)]; b.skipping {
		return nil
	}
	if err := b.checkName(name); err != nil {
		return err
	}
	f := span{name: len(b.text)}
	b.text = append(b.text, name...)
	f.value = len(b.text)
	b.text = append(b.text, bytes.Trim(value, " \t\r")...)
	f.end = len(b.text)
	b.fields = append(b.fields, f)
	return nil
}

// checkName applies Policy 5.1: printable ASCII without space and colon, not
// starting with "#" or "-", and each name once.
func (b *builder) checkName(name []byte) error {
	if len(name) == 0 || name[0] == '#' || name[0] == '-' {
		return fmt.Errorf("field name %.40q is not allowed", name)
	}
	for _, c := range name {
		if c <= ' ' || c >= 0x7f {
			return fmt.Errorf("field name %.40q is not allowed", name)
		}
	}
	for _, f := range b.fields {
		if f.value-f.name == len(name) && bytes.EqualFold(b.text[f.name:f.value], name) {
			return fmt.Errorf("field %.40s appears twice", name)
		}
	}
	if len(b.fields) == maxFields {
		return fmt.Errorf("more than %d fields", maxFields)
	}
	return nil
}

// paragraph returns the paragraph and starts the next one.
func (b *builder) paragraph() Paragraph {
	text := string(b.text)
	fields := make([]Field, len(b.fields))
	for i, f := range b.fields {
		fields[i] = Field{text[f.name:f.value], text[f.value:f.end]}
	}
	b.text, b.fields, b.size, b.skipping = b.text[:0], b.fields[:0], 0, false
	return Paragraph{fields}
}
