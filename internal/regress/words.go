package regress

import (
	"fmt"
	"strings"
)

// splitWords splits a command line like a shell. Expansions and operators of the
// shell are errors.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inside, quote := false, byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == '\'':
			word.WriteByte(c)
		case c == '\\' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
			inside = true
		case strings.IndexByte("$`", c) >= 0, quote == 0 && strings.IndexByte("*?;&|<>()", c) >= 0:
			return nil, fmt.Errorf("%q needs expansion by a shell", line)
		case quote != 0:
			word.WriteByte(c)
		case c == '"' || c == '\'':
			quote, inside = c, true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if inside {
				words = append(words, word.String())
				word.Reset()
				inside = false
			}
		default:
			word.WriteByte(c)
			inside = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("%q has a quote that does not end", line)
	}
	if inside {
		words = append(words, word.String())
	}
	return words, nil
}
