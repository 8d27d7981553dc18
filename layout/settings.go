package layout

import (
	"fmt"
	"slices"
	"strings"
)

// control holds the settings of a control file (PostgreSQL 18, "Extension Files").
type control struct {
	defaultVersion, directory, schema string
	requires                          []string
	relocatable, trusted              bool
}

// apply applies settings to c. It returns PostgreSQL's errors, such as "line 3:
// unrecognized parameter". secondary is true for a NAME--VERSION.control file.
func (c *control) apply(settings []setting, secondary bool) []string {
	var refused []string
	refuse := func(s setting, format string, args ...any) {
		refused = append(refused, fmt.Sprintf("line %d: ", s.line)+fmt.Sprintf(format, args...))
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
		case "schema":
			c.schema = s.value
		case "comment", "encoding", "module_pathname":
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
			switch s.name {
			case "relocatable":
				c.relocatable = v
			case "trusted":
				c.trusted = v
			}
		default:
			refuse(s, "unrecognized parameter %q", s.name)
		}
	}
	if c.relocatable && c.schema != "" {
		refused = append(refused, "schema cannot be set if relocatable is true")
	}
	return refused
}

// parseBool parses a boolean like PostgreSQL: 1, 0, or any unambiguous prefix of
// true, false, yes, no, on and off in upper or lower case.
func parseBool(s string) (value, ok bool) {
	low := strings.ToLower(s)
	isPrefix := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, low) })
	}
	switch {
	case low == "" || low == "o":
		return false, false
	case isPrefix("true", "yes", "on", "1"):
		return true, true
	case isPrefix("false", "no", "off", "0"):
		return false, true
	}
	return false, false
}

// blanks are the white space characters of scanner_isspace.
const blanks = " \t\n\r\v\f"

// splitIdentifiers splits a list like SplitIdentifierString with a comma: it folds
// names to lower case unless they are in double quotes.
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

// cutIdentifier cuts the identifier at the start of s.
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
