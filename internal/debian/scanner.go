package debian

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits of a Scanner, in bytes. The largest paragraph of the Debian archive,
// a Release file, has 0.4 MB.
const (
	maxLine      = 1 << 20
	maxParagraph = 16 << 20
)

// Scanner reads deb822 text one paragraph at a time. It is as tolerant as
// dpkg: lines may end in CRLF, paragraphs may be separated by lines of white
// space, and a last line needs no newline.
type Scanner struct {
	// Comments makes lines that start with "#" invisible, as in apt's source
	// lists and debian/control; elsewhere they are errors.
	Comments bool

	lines     *bufio.Scanner
	line      int
	paragraph Paragraph
	err       error
}

// NewScanner returns a Scanner that reads from r.
func NewScanner(r io.Reader) *Scanner {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	return &Scanner{lines: lines}
}

// Paragraph returns the paragraph that the last call of Scan found.
func (s *Scanner) Paragraph() Paragraph { return s.paragraph }

// Err returns the first error, which names the line; nil at the end of the
// text.
func (s *Scanner) Err() error { return s.err }

// Scan advances to the next paragraph. It returns false at the end of the
// text and at the first error.
func (s *Scanner) Scan() bool {
	s.paragraph = Paragraph{}
	if s.err != nil {
		return false
	}
	var p builder
	for s.lines.Scan() {
		s.line++
		line := s.lines.Text()
		if s.Comments && strings.HasPrefix(line, "#") {
			continue
		}
		if strings.Trim(line, " \t\r") == "" {
			if p.empty() {
				continue
			}
			break
		}
		if err := p.add(line); err != nil {
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
	s.paragraph = p.paragraph()
	return s.paragraph.Len() > 0
}

// builder collects the lines of one paragraph.
type builder struct {
	fields []Field
	seen   map[string]bool
	value  strings.Builder // of the last field
	size   int
}

func (b *builder) empty() bool { return len(b.fields) == 0 }

// add takes a line that is not blank.
func (b *builder) add(line string) error {
	if b.size += len(line) + 1; b.size > maxParagraph {
		return fmt.Errorf("paragraph larger than %d bytes", maxParagraph)
	}
	if strings.IndexByte(line, 0) >= 0 {
		return errors.New("a NUL byte in the text")
	}
	if line[0] == ' ' || line[0] == '\t' {
		if b.empty() {
			return errors.New("continuation line without a field")
		}
		b.value.WriteByte('\n')
		b.value.WriteString(strings.TrimRight(line[1:], " \t\r"))
		return nil
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return fmt.Errorf("%.40q is not a field: it has no colon", line)
	}
	name = strings.TrimRight(name, " \t")
	if err := b.checkName(name); err != nil {
		return err
	}
	b.flush()
	b.fields = append(b.fields, Field{Name: name})
	b.value.WriteString(strings.Trim(value, " \t\r"))
	return nil
}

// checkName applies Policy 5.1: printable ASCII without space and colon, not
// starting with "#" or "-", and each name once.
func (b *builder) checkName(name string) error {
	if name == "" || name[0] == '#' || name[0] == '-' {
		return fmt.Errorf("field name %.40q is not allowed", name)
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] >= 0x7f {
			return fmt.Errorf("field name %.40q is not allowed", name)
		}
	}
	if b.seen == nil {
		b.seen = make(map[string]bool)
	}
	key := strings.ToLower(name)
	if b.seen[key] {
		return fmt.Errorf("field %.40s appears twice", name)
	}
	b.seen[key] = true
	return nil
}

func (b *builder) flush() {
	if n := len(b.fields); n > 0 {
		b.fields[n-1].Value = b.value.String()
	}
	b.value.Reset()
}

func (b *builder) paragraph() Paragraph {
	b.flush()
	return Paragraph{b.fields}
}
