package recipe

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// MaxSize is the largest recipe in bytes.
const MaxSize = 1 << 20

// Parse reads a recipe and judges all of it. name is what problems call the
// file and what Recipe.Path becomes. The error is an *Errors with every
// problem that was found.
func Parse(name string, data []byte) (*Recipe, error) {
	c := newCollector(name)
	r := &Recipe{Path: name, Text: slices.Clone(data)}
	if root := document(c, data); root != nil {
		d := decoder{collector: c, budget: maxNodes}
		d.value(root, reflect.ValueOf(r).Elem(), "", false)
		v := validator{c}
		v.recipe(r)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	if r.Image == "" {
		r.Image = r.Name
	}
	if r.Rewrite == "" {
		r.Rewrite = RewriteAuto
	}
	return r, nil
}

// Report adds a problem with the value of a field, by its path in the document;
// suggestion may be "".
type Report func(field, suggestion, format string, args ...any)

// ReadStrict reads another YAML document of this project as recipes are read:
// into, a pointer to a struct, has its fields by their json tags; unknown,
// repeated and empty ones are problems, each with its place. judge then looks
// at the values. name is what problems call the file, noun what the document
// is. The error is an *Errors.
func ReadStrict(name, noun string, data []byte, into any, judge func(Report)) error {
	c := newCollector(name)
	c.noun, c.empty = noun, "is empty; set a value or remove it"
	if root := document(c, data); root != nil {
		d := decoder{collector: c, budget: maxNodes}
		d.value(root, reflect.ValueOf(into).Elem(), "", false)
		judge(c.wrong)
	}
	return c.err()
}

// document returns the top node of the one YAML document in data; nil when a
// problem was reported instead.
func document(c *collector, data []byte) *yaml.Node {
	top := position{1, 1}
	if len(data) > MaxSize {
		c.report(top, Problem{Text: "larger than 1 MiB, which no " + c.noun + " is"})
		return nil
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		c.report(top, Problem{Text: "is UTF-16; a " + c.noun + " is UTF-8"})
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		c.report(top, Problem{Text: err.Error()})
		return nil
	}
	var doc, second yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		c.report(top, Problem{Text: c.empty})
		return nil
	case err != nil:
		syntax(c, data, err)
		return nil
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		syntax(c, data, err)
		return nil
	default:
		c.report(position{second.Line, second.Column}, Problem{Text: "a second document begins; a " + c.noun + " is one document"})
		return nil
	}
	if len(doc.Content) != 1 {
		c.report(top, Problem{Text: c.empty})
		return nil
	}
	return doc.Content[0]
}

// syntax reports what the YAML reader could not read.
func syntax(c *collector, data []byte, err error) {
	at, text := position{1, 1}, err.Error()
	var load *yaml.LoadError
	if errors.As(err, &load) {
		text = load.Message
		if load.ContextMsg != "" {
			text = load.ContextMsg + ": " + text
		}
		switch mark := load.Mark; {
		case mark.Line > 0:
			at = position{mark.Line, max(1, mark.Column)}
		default: // the reader of bytes knows the offset only
			at = locate(data, mark.Index)
		}
	}
	c.report(at, Problem{Text: "not YAML: " + oneLine(text)})
}

// locate returns the position of the byte at offset.
func locate(data []byte, offset int) position {
	before := data[:min(max(offset, 0), len(data))]
	line := 1 + bytes.Count(before, []byte("\n"))
	return position{line, len(before) - bytes.LastIndexByte(before, '\n')}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
