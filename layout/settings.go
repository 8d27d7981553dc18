package layout

import (
	"fmt"
	"strings"
)

// control is what a control file sets (PostgreSQL 18, Extension Files).
type control struct {
	defaultVersion, directory, modulePathname, schema string
	requires                                          []string
	relocatable, trusted                              bool
}

// apply sets what the settings say. It returns, as text, what PostgreSQL
// would refuse; secondary is true for a NAME--VERSION.control file.
func (c *control) apply(settings []setting, secondary bool) []controlError {
	var refused []controlError
	refuse := func(s setting, format string, args ...any) {
		refused = append(refused, controlError{s.line, fmt.Sprintf(format, args...)})
	}
	for _, s := range settings {
		switch s.name {
		case "directory", "default_version":
			if secondary {
				refuse(s, "%s cannot be set in a secondary control file", s.name)
			} else if s.name == "directory" {
				c.directory = s.value
			} else {
				c.defaultVersion = s.value
			}
		case "module_pathname":
			c.modulePathname = s.value
		case "schema":
			c.schema = s.value
		case "comment", "encoding":
		case "requires", "no_relocate":
			names, ok := splitIdentifiers(s.value)
			if !ok {
				refuse(s, "%s must be a list of extension names, not %q", s.name, s.value)
			} else if s.name == "requires" {
				c.requires = names
			}
		case "relocatable", "superuser", "trusted":
			v, ok := parseBool(s.value)
			if !ok {
				refuse(s, "%s must be a boolean, not %q", s.name, s.value)
			}
			c.setBool(s.name, v)
		default:
			refuse(s, "unrecognized parameter %q", s.name)
		}
	}
	if c.relocatable && c.schema != "" {
		refused = append(refused, controlError{1, "schema cannot be set when relocatable is true"})
	}
	return refused
}

func (c *control) setBool(name string, v bool) {
	switch name {
	case "relocatable":
		c.relocatable = v
	case "trusted":
		c.trusted = v
	}
}

// parseBool is PostgreSQL's: any unambiguous beginning of true, false, yes,
// no, on and off in any case, 1 and 0.
func parseBool(s string) (value, ok bool) {
	low := strings.ToLower(s)
	if low == "" {
		return false, false
	}
	for _, w := range []struct {
		word  string
		least int
		value bool
	}{
		{"true", 1, true},
		{"yes", 1, true},
		{"on", 2, true},
		{"1", 1, true},
		{"false", 1, false},
		{"no", 1, false},
		{"off", 2, false},
		{"0", 1, false},
	} {
		if len(low) >= w.least && strings.HasPrefix(w.word, low) {
			return w.value, true
		}
	}
	return false, false
}

// blanks is what scanner_isspace accepts.
const blanks = " \t\n\r\v\f"

// splitIdentifiers is SplitIdentifierString with a comma: names are folded to
// lower case unless they stand in double quotes.
func splitIdentifiers(s string) ([]string, bool) {
	rest := strings.Trim(s, blanks)
	if rest == "" {
		return nil, true
	}
	var names []string
	for {
		name, after, ok := cutIdentifier(rest)
		if !ok {
			return nil, false
		}
		names = append(names, name)
		rest = strings.TrimLeft(after, blanks)
		if rest == "" {
			return names, true
		}
		if rest[0] != ',' {
			return nil, false
		}
		rest = strings.TrimLeft(rest[1:], blanks)
	}
}

// cutIdentifier reads the identifier that s starts with.
func cutIdentifier(s string) (name, rest string, ok bool) {
	quoted, isQuoted := strings.CutPrefix(s, `"`)
	if !isQuoted {
		n := strings.IndexAny(s, ","+blanks)
		if n < 0 {
			n = len(s)
		}
		return strings.ToLower(s[:n]), s[n:], n > 0
	}
	for {
		part, after, found := strings.Cut(quoted, `"`)
		if !found {
			return "", "", false
		}
		name += part
		if !strings.HasPrefix(after, `"`) {
			return name, after, true
		}
		name += `"`
		quoted = after[1:]
	}
}
