package lock

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pgext/pgext/internal/strictjson"
)

// Encode returns the lock as JSON: indented by two spaces, with one line for each
// archive, base package, requirement and package, and a final newline. Equal pins
// in any order have the same encoding.
func (l Lock) Encode() []byte {
	var e encoder
	e.open("{")
	e.field("lock", Version, true)
	targets := l.normal().Targets
	e.list("targets", len(targets), false, func(i int) { e.target(targets[i]) })
	e.close("}", false)
	return e.Bytes()
}

// encoder writes JSON line by line.
type encoder struct {
	bytes.Buffer
	depth int
}

func (e *encoder) target(t Target) {
	e.indent()
	e.open("{")
	e.field("distro", t.Distro, true)
	e.field("postgres", t.Postgres, true)
	e.field("arch", t.Arch, true)
	e.field("recipe", t.Recipe, true)
	lines(e, "archives", t.Archives, true)
	e.base(t.Base)
	if len(t.Requires) > 0 {
		lines(e, "requires", t.Requires, true)
	}
	if len(t.Data) > 0 {
		lines(e, "data", t.Data, true)
	}
	lines(e, "packages", t.Packages, false)
}

func (e *encoder) base(b Base) {
	e.key("base")
	e.open("{")
	e.field("name", b.Name, true)
	if b.Image != "" {
		e.field("image", b.Image, true)
	}
	e.field("postgres", b.Postgres, true)
	e.field("checksum", b.Checksum, len(b.Extensions)+len(b.Packages) > 0)
	if len(b.Extensions) > 0 {
		e.field("extensions", b.Extensions, len(b.Packages) > 0)
	}
	if len(b.Packages) > 0 {
		lines(e, "packages", b.Packages, false)
	}
	e.close("}", true)
}

// lines writes a list with one element on each line.
func lines[T any](e *encoder, name string, list []T, more bool) {
	e.key(name)
	if len(list) == 0 {
		e.end("[]", more)
		return
	}
	e.open("[")
	for i, element := range list {
		e.indent()
		e.end(compact(element), i < len(list)-1)
	}
	e.close("]", more)
}

// list writes a list of n objects. element writes an object without its closing
// brace.
func (e *encoder) list(name string, n int, more bool, element func(i int)) {
	e.key(name)
	if n == 0 {
		e.end("[]", more)
		return
	}
	e.open("[")
	for i := range n {
		element(i)
		e.close("}", i < n-1)
	}
	e.close("]", more)
}

func (e *encoder) indent() {
	for range e.depth {
		e.WriteString("  ")
	}
}

func (e *encoder) key(name string) {
	e.indent()
	fmt.Fprintf(e, "%q: ", name)
}

func (e *encoder) field(name string, value any, more bool) {
	e.key(name)
	e.end(compact(value), more)
}

func (e *encoder) open(bracket string) {
	e.WriteString(bracket + "\n")
	e.depth++
}

func (e *encoder) close(bracket string, more bool) {
	e.depth--
	e.indent()
	e.end(bracket, more)
}

// end writes the end of a line, with a comma if more elements follow.
func (e *encoder) end(text string, more bool) {
	e.WriteString(text)
	if more {
		e.WriteByte(',')
	}
	e.WriteByte('\n')
}

// compact returns a value as JSON on one line.
func compact(value any) string {
	b, err := strictjson.Marshal(value, "")
	if err != nil {
		panic("lock: encoding plain data: " + err.Error())
	}
	return strings.TrimSuffix(string(b), "\n")
}
