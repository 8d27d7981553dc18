package fetch

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// maxNetrc bounds the size of a netrc file in bytes.
const maxNetrc = 1 << 20

// netrc holds the entries of a netrc file in their order; see "The .netrc File"
// in the manual of GNU inetutils, and curl's for quoted values.
type netrc []netrcEntry

type netrcEntry struct {
	machine         string // "" for the default entry
	login, password string
}

// lookup returns the first entry for host, or else the default one. A login that
// is not empty must be the entry's too.
func (n netrc) lookup(host, login string) (netrcEntry, bool) {
	for _, e := range n {
		if (e.machine == "" || strings.EqualFold(e.machine, host)) && (login == "" || login == e.login) {
			return e, true
		}
	}
	return netrcEntry{}, false
}

// userNetrc reads the file that NETRC names, or else .netrc in the home
// directory. A file that is not there holds nothing.
func userNetrc(log *slog.Logger) netrc {
	path := os.Getenv("NETRC")
	named := path != ""
	if !named {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil
		}
		path = filepath.Join(home, ".netrc")
	}
	f, err := os.Open(path) //nolint:gosec // the user's own environment names it
	if err != nil {
		if named {
			log.Warn("reading netrc", "error", err)
		}
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxNetrc))
	if err != nil {
		log.Warn("reading netrc", "error", err)
		return nil
	}
	return parseNetrc(string(text))
}

// parseNetrc never fails: what it does not understand it passes over.
func parseNetrc(text string) netrc {
	var out netrc
	var current *netrcEntry // nil before the first machine
	s := netrcScanner{rest: strings.ReplaceAll(text, "\r\n", "\n"), fresh: true}
	for word, ok := s.next(); ok; word, ok = s.next() {
		switch word {
		case "machine":
			name, _ := s.next()
			if current = nil; name != "" {
				out = append(out, netrcEntry{machine: name})
				current = &out[len(out)-1]
			}
		case "default":
			out = append(out, netrcEntry{})
			current = &out[len(out)-1]
		case "login", "password", "account":
			value, _ := s.next()
			current.set(word, value)
		case "macdef":
			s.skipMacro()
		}
	}
	return out
}

func (e *netrcEntry) set(word, value string) {
	switch {
	case e == nil:
	case word == "login":
		e.login = value
	case word == "password":
		e.password = value
	}
}

type netrcScanner struct {
	rest  string
	fresh bool // no word of the line was read yet
}

// next returns the next word, and false at the end. A line whose first word
// starts with # is a comment; a word in double quotes may hold blanks and, behind
// a backslash, quotes.
func (s *netrcScanner) next() (string, bool) {
	for {
		trimmed := strings.TrimLeft(s.rest, " \t\n")
		s.fresh = s.fresh || strings.Contains(s.rest[:len(s.rest)-len(trimmed)], "\n")
		s.rest = trimmed
		if !s.fresh || !strings.HasPrefix(s.rest, "#") {
			break
		}
		_, s.rest, _ = strings.Cut(s.rest, "\n")
	}
	s.fresh = false
	if s.rest == "" {
		return "", false
	}
	if s.rest[0] == '"' {
		return s.quoted(), true
	}
	end := strings.IndexAny(s.rest, " \t\n")
	if end < 0 {
		end = len(s.rest)
	}
	word := s.rest[:end]
	s.rest = s.rest[end:]
	return word, true
}

func (s *netrcScanner) quoted() string {
	var word strings.Builder
	escapes := strings.NewReplacer("n", "\n", "r", "\r", "t", "\t")
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return word.String()
		case c == '\\' && i+1 < len(s.rest):
			i++
			word.WriteString(escapes.Replace(s.rest[i : i+1]))
		default:
			word.WriteByte(c)
		}
	}
	s.rest = ""
	return word.String()
}

// skipMacro passes over a macro definition, which ends at an empty line.
func (s *netrcScanner) skipMacro() {
	_, s.rest, _ = strings.Cut(s.rest, "\n\n")
	s.fresh = true
}
