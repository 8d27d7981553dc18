package debian

import (
	"encoding/json"
	"slices"
	"strings"
)

// Field is one field of a Paragraph.
type Field struct {
	Name string
	// Value has no surrounding white space. The lines of a folded or
	// multi-line value are joined with "\n", each without the first character
	// that marks it as a continuation.
	Value string
}

// Paragraph is a stanza of deb822 fields (deb822(5), Policy 5.1) in the order
// they were written. It is immutable; the zero Paragraph is empty.
type Paragraph struct {
	fields []Field
}

// NewParagraph returns the paragraph of fields, which it copies. Where a name
// appears twice the first one counts.
func NewParagraph(fields ...Field) Paragraph {
	return Paragraph{slices.Clone(fields)}
}

// Get returns the value of the field called name, in any case; "" when there
// is none.
func (p Paragraph) Get(name string) string {
	v, _ := p.Lookup(name)
	return v
}

// Lookup is Get that tells an empty field from an absent one.
func (p Paragraph) Lookup(name string) (string, bool) {
	for _, f := range p.fields {
		if len(f.Name) == len(name) && strings.EqualFold(f.Name, name) {
			return f.Value, true
		}
	}
	return "", false
}

// Fields returns a copy of the fields, in order.
func (p Paragraph) Fields() []Field { return slices.Clone(p.fields) }

// Len returns the number of fields.
func (p Paragraph) Len() int { return len(p.fields) }

// String returns the paragraph in deb822 form, without the empty line that
// would end it. An empty line inside a value, which deb822 cannot hold, is
// written as " .".
func (p Paragraph) String() string {
	var b strings.Builder
	for _, f := range p.fields {
		b.WriteString(f.Name)
		b.WriteByte(':')
		for i, line := range strings.Split(f.Value, "\n") {
			switch {
			case i == 0 && line == "":
			case i == 0:
				b.WriteString(" " + line)
			case strings.TrimSpace(line) == "":
				b.WriteString("\n .")
			default:
				b.WriteString("\n " + line)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// MarshalJSON encodes the paragraph as an array of [name, value] pairs, which
// keeps the order.
func (p Paragraph) MarshalJSON() ([]byte, error) {
	pairs := make([][2]string, len(p.fields))
	for i, f := range p.fields {
		pairs[i] = [2]string{f.Name, f.Value}
	}
	return json.Marshal(pairs)
}

// UnmarshalJSON decodes what MarshalJSON wrote.
func (p *Paragraph) UnmarshalJSON(data []byte) error {
	var pairs [][2]string
	if err := json.Unmarshal(data, &pairs); err != nil {
		return err
	}
	fields := make([]Field, len(pairs))
	for i, pair := range pairs {
		fields[i] = Field{pair[0], pair[1]}
	}
	p.fields = fields
	return nil
}

// Equal reports whether both paragraphs have the same fields in the same
// order.
func (p Paragraph) Equal(q Paragraph) bool { return slices.Equal(p.fields, q.fields) }
