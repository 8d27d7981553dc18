package layout

import (
	"fmt"
)

// maxControl limits the size of a control file, in bytes.
const maxControl = 1 << 20

// setting is an assignment in a control file. start and end are the offsets of its
// unparsed value.
type setting struct {
	name, value string
	line        int
	start, end  int
}

// parseControl parses a control file with the grammar of postgresql.conf
// (src/backend/utils/misc/guc-file.l): "=" is optional, a value is a word, a number
// or a quoted string, and every setting has its own line. It returns PostgreSQL's
// syntax errors.
func parseControl(text string) ([]setting, error) {
	var settings []setting
	lx := configLexer{src: text, line: 1}
	for {
		name := lx.next()
		switch name.kind {
		case configEnd:
			return settings, nil
		case configEOL:
			continue
		case configWord:
		default:
			return nil, fmt.Errorf("line %d: syntax error near %q", name.line, name.text)
		}
		value := lx.next()
		if value.kind == configEquals {
			value = lx.next()
		}
		if value.kind != configWord && value.kind != configValue {
			return nil, fmt.Errorf("line %d: %s has no value", name.line, name.text)
		}
		if !settingName.MatchString(name.text) {
			return nil, fmt.Errorf("line %d: %q is not a valid name", name.line, name.text)
		}
		settings = append(settings, setting{name.text, value.value, name.line, value.start, value.end})
		if end := lx.next(); end.kind != configEOL && end.kind != configEnd {
			return nil, fmt.Errorf("line %d: syntax error near %q", end.line, end.text)
		} else if end.kind == configEnd {
			return settings, nil
		}
	}
}
