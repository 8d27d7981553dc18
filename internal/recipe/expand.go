package recipe

import (
	"fmt"
	"strconv"
	"strings"
)

// expand replaces ${pg}, ${distro} and ${arch} in s; $${ stands for a literal
// ${. Other variables, which Parse refuses, are left as they are.
func expand(s string, pg int, distro, arch string) string {
	values := map[string]string{"pg": strconv.Itoa(pg), "distro": distro, "arch": arch}
	expanded, _ := substitute(s, func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	})
	return expanded
}

// substitute replaces each ${name} of s by what value returns. The error tells
// the first variable that value does not know, or that does not end.
func substitute(s string, value func(name string) (string, bool)) (string, error) {
	var b strings.Builder
	var err error
	for {
		at := strings.Index(s, "${")
		if at < 0 {
			b.WriteString(s)
			return b.String(), err
		}
		if at > 0 && s[at-1] == '$' {
			b.WriteString(s[:at-1] + "${")
			s = s[at+2:]
			continue
		}
		b.WriteString(s[:at])
		name, rest, closed := strings.Cut(s[at+2:], "}")
		if !closed {
			b.WriteString(s[at:])
			return b.String(), fmt.Errorf("a variable begins with ${ and does not end")
		}
		text, ok := value(name)
		if !ok {
			text = "${" + name + "}"
			if err == nil {
				err = &unknownVariable{name}
			}
		}
		b.WriteString(text)
		s = rest
	}
}

// unknownVariable reports that a variable is not known.
type unknownVariable struct{ name string }

func (e *unknownVariable) Error() string { return fmt.Sprintf("unknown variable ${%s}", e.name) }
