package recipe

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/pgext/pgext/internal/text"
)

// maxNodes bounds the values of a recipe after its aliases were followed.
const maxNodes = 50_000

// shorthand is a mapping that may also be written as text.
type shorthand interface{ setShorthand(text string) }

// decoder fills a Go value from YAML nodes. It descends only where the type
// does, so a document cannot make it recurse.
type decoder struct {
	*collector
	// budget is how many more values may be decoded.
	budget int
}

// value decodes n into v. With text, numbers and booleans are taken as the
// text they were written as, so that 3.10 stays "3.10".
func (d *decoder) value(n *yaml.Node, v reflect.Value, field string, text bool) {
	at := position{n.Line, n.Column}
	if d.budget--; d.budget <= 0 {
		if d.budget == 0 {
			d.report(at, Problem{Field: field, Text: fmt.Sprintf("the %s has more than %d values", d.noun, maxNodes)})
		}
		return
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.where[field] = at
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		d.report(at, Problem{Field: field, Text: "has no value; give one or remove the field"})
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, field)
	case reflect.Map:
		d.mapping(n, v, field, text)
	case reflect.Slice:
		d.list(n, v, field, text)
	default:
		d.scalar(n, v, field, text)
	}
}

// structure decodes a mapping whose keys are the fields of v.
func (d *decoder) structure(n *yaml.Node, v reflect.Value, field string) {
	if s, ok := v.Addr().Interface().(shorthand); ok && n.Kind == yaml.ScalarNode {
		var text string
		d.scalar(n, reflect.ValueOf(&text).Elem(), field, false)
		s.setShorthand(text)
		return
	}
	if n.Kind != yaml.MappingNode {
		d.mismatch(n, field, "a mapping", "")
		return
	}
	fields := fieldsOf(v.Type())
	d.pairs(n, field, func(key, value *yaml.Node, path string) {
		i := slices.IndexFunc(fields, func(f structField) bool { return f.name == key.Value })
		if i < 0 {
			d.unknown(key, field, path, fields)
			return
		}
		d.value(value, v.Field(fields[i].index), path, fields[i].text)
	})
}

// unknown reports a field that v does not have. The field that was likely
// meant counts as faulty, so that its absence is not told as well.
func (d *decoder) unknown(key *yaml.Node, field, path string, fields []structField) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	meant := text.Nearest(key.Value, names)
	text := "unknown field"
	if meant == "" {
		text += "; known are " + strings.Join(names, ", ")
	} else {
		d.faulty[join(field, meant)] = true
	}
	d.report(position{key.Line, key.Column}, Problem{Field: path, Text: text, Suggestion: meant})
}

// mapping decodes a mapping with keys of the author's choice.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value, field string, text bool) {
	if n.Kind != yaml.MappingNode {
		d.mismatch(n, field, "a mapping", "")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	d.pairs(n, field, func(key, value *yaml.Node, path string) {
		elem := reflect.New(v.Type().Elem()).Elem()
		d.value(value, elem, path, text)
		v.SetMapIndex(reflect.ValueOf(key.Value), elem)
	})
}

// pairs calls fn for each key of a mapping that is text and not a repetition.
func (d *decoder) pairs(n *yaml.Node, field string, fn func(key, value *yaml.Node, path string)) {
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, at := n.Content[i], position{n.Content[i].Line, n.Content[i].Column}
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		path := join(field, key.Value)
		first, repeated := lines[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			d.report(at, Problem{Field: field, Text: "has a key that is not text"})
		case key.ShortTag() == "!!merge":
			d.report(at, Problem{Field: field, Text: "merge keys (<<) are not supported; repeat the fields"})
		case repeated:
			d.report(at, Problem{Field: path, Text: fmt.Sprintf("repeats line %d", first)})
		default:
			lines[key.Value] = at.line
			fn(key, n.Content[i+1], path)
		}
	}
}

// list decodes a sequence. Elements that are faulty keep their place, so that
// the others keep their number.
func (d *decoder) list(n *yaml.Node, v reflect.Value, field string, text bool) {
	if n.Kind != yaml.SequenceNode {
		hint := ""
		if n.Kind == yaml.ScalarNode && listable(v.Type().Elem()) {
			hint = "; write [" + flow(n.Value) + "]"
		}
		d.mismatch(n, field, "a list", hint)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), min(len(n.Content), d.budget+1), min(len(n.Content), d.budget+1)))
	for i := range v.Len() {
		d.value(n.Content[i], v.Index(i), index(field, i), text)
	}
}

// listable reports whether one element of a list may be written as a scalar.
func listable(t reflect.Type) bool {
	return t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[shorthand]())
}

var plainFlow = regexp.MustCompile(`^[A-Za-z0-9_./+-]+$`)

// flow returns a scalar as it can be written in a YAML flow sequence.
func flow(value string) string {
	if plainFlow.MatchString(value) {
		return value
	}
	return strconv.Quote(value)
}

// scalar decodes text, a whole number or a boolean.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value, field string, text bool) {
	tag := n.ShortTag()
	scalar := n.Kind == yaml.ScalarNode
	switch v.Kind() {
	case reflect.Bool:
		if scalar && tag == "!!bool" {
			v.SetBool(strings.EqualFold(n.Value, "true"))
			return
		}
		d.mismatch(n, field, "true or false", "")
	case reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if scalar && tag == "!!int" && err == nil {
			v.SetInt(int64(i))
			return
		}
		d.mismatch(n, field, "a whole number", "")
	default:
		number := tag == "!!int" || tag == "!!float" || tag == "!!bool"
		switch {
		case scalar && (tag == "!!str" || tag == "!!timestamp" || text && number):
			d.text(n, v, field)
		case scalar && number:
			d.mismatch(n, field, "text", fmt.Sprintf("; write %q", n.Value))
		default:
			d.mismatch(n, field, "text", "")
		}
	}
}

// text sets v to the text of n, which may span lines but has no other control
// characters.
func (d *decoder) text(n *yaml.Node, v reflect.Value, field string) {
	if strings.ContainsFunc(n.Value, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }) {
		d.report(position{n.Line, n.Column}, Problem{Field: field, Text: "contains a control character"})
		return
	}
	v.SetString(n.Value)
}

// mismatch reports a value of the wrong type.
func (d *decoder) mismatch(n *yaml.Node, field, want, hint string) {
	d.report(d.position(field), Problem{Field: field, Text: fmt.Sprintf("want %s, got %s%s", want, describe(n), hint)})
}

// describe names what a node holds.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	value := text.Truncate(n.Value, 40)
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "the number " + value
	case "!!bool":
		return value
	case "!!str", "!!timestamp":
		return fmt.Sprintf("the text %q", value)
	}
	return fmt.Sprintf("a value tagged %q", n.ShortTag())
}

// structField is one field of a recipe type.
type structField struct {
	name  string
	index int
	text  bool
}

// fieldsOf returns the fields of a struct type by their name in the document.
func fieldsOf(t reflect.Type) []structField {
	var fields []structField
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "-" {
			fields = append(fields, structField{name, i, t.Field(i).Tag.Get("recipe") == "text"})
		}
	}
	return fields
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_./-]{1,80}$`)

// join returns the path of key in the mapping at field.
func join(field, key string) string {
	if !plainKey.MatchString(key) {
		key = strconv.Quote(text.Truncate(key, 80))
	}
	if field == "" {
		return key
	}
	return field + "." + key
}

// index returns the path of element i of the list at field.
func index(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }
