package apt

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxLine is the longest line of a Packages file that is read, in bytes; the
// longest of Debian's own has about 60 kB.
const maxLine = 1 << 20

// maxField bounds one field with its continuation lines, in bytes.
const maxField = 4 << 20

// field numbers the fields of a stanza that are kept.
type field uint8

const (
	fieldPackage field = iota
	fieldVersion
	fieldArchitecture
	fieldSource
	fieldSection
	fieldPriority
	fieldMultiArch
	fieldPreDepends
	fieldDepends
	fieldRecommends
	fieldSuggests
	fieldProvides
	fieldConflicts
	fieldBreaks
	fieldFilename
	fieldSize
	fieldSHA256
	fieldSHA512
	fieldEssential
	fieldProtected
	fieldImportant
	fieldReplaces
	fieldEnhances
	numFields
)

// fieldNames are the names by number, in lower case.
var fieldNames = [numFields]string{
	"package", "version", "architecture", "source", "section", "priority", "multi-arch",
	"pre-depends", "depends", "recommends", "suggests", "provides", "conflicts", "breaks",
	"filename", "size", "sha256", "sha512", "essential", "protected", "important",
	"replaces", "enhances",
}

// stanza holds the wanted fields of one stanza; the slices are valid until
// the next one is read.
type stanza [numFields][]byte

// stanzaScanner reads a Packages file stanza by stanza. It keeps one stanza
// in memory, whatever the size of the file.
type stanzaScanner struct {
	r       *bufio.Reader
	line    int
	current stanza
	started bool
	// open is the field that a continuation line would continue; numFields
	// is one that nobody wants, numFields+1 none at all.
	open field
}

func newStanzaScanner(r io.Reader) *stanzaScanner {
	return &stanzaScanner{r: bufio.NewReaderSize(r, maxLine)}
}

// next reads a stanza. It returns io.EOF after the last one.
func (s *stanzaScanner) next() (*stanza, error) {
	for i := range s.current {
		s.current[i] = s.current[i][:0]
	}
	s.started, s.open = false, numFields+1
	for {
		line, err := s.r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("line %d: longer than %d bytes", s.line+1, maxLine)
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("line %d: %w", s.line+1, err)
		}
		atEnd := err != nil
		if len(line) > 0 {
			s.line++
			done, err := s.add(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", s.line, err)
			}
			if done {
				return &s.current, nil
			}
		}
		switch {
		case atEnd && s.started:
			return &s.current, nil
		case atEnd:
			return nil, io.EOF
		}
	}
}

// add takes a line; done is true for the empty line that ends a stanza.
func (s *stanzaScanner) add(line []byte) (done bool, err error) {
	line = bytes.TrimRight(line, " \t\r\n")
	if len(line) == 0 {
		return s.started, nil
	}
	if line[0] == ' ' || line[0] == '\t' {
		return false, s.fold(line)
	}
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return false, fmt.Errorf("no field name in %.40q", line)
	}
	s.started = true
	s.open = lookupField(line[:colon])
	if s.open == numFields {
		return false, nil
	}
	if len(s.current[s.open]) > 0 {
		return false, fmt.Errorf("field %s appears twice", fieldNames[s.open])
	}
	s.current[s.open] = append(s.current[s.open], bytes.TrimLeft(line[colon+1:], " \t")...)
	return false, nil
}

// fold joins a continuation line to its field with a space.
func (s *stanzaScanner) fold(line []byte) error {
	if s.open > numFields {
		return errors.New("continuation of no field")
	}
	if s.open == numFields {
		return nil
	}
	v := &s.current[s.open]
	if len(*v)+len(line) > maxField {
		return fmt.Errorf("field %s is longer than %d bytes", fieldNames[s.open], maxField)
	}
	if len(*v) > 0 {
		*v = append(*v, ' ')
	}
	*v = append(*v, bytes.TrimLeft(line, " \t")...)
	return nil
}

// lookupField returns the number of a field, in any case, or numFields.
func lookupField(name []byte) field {
	var lower [16]byte
	if len(name) > len(lower) {
		return numFields
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	if f, ok := fieldNumbers[string(lower[:len(name)])]; ok {
		return f
	}
	return numFields
}

// fieldNumbers is fieldNames the other way round.
var fieldNumbers = func() map[string]field {
	m := make(map[string]field, numFields)
	for i, name := range fieldNames {
		m[name] = field(i)
	}
	return m
}()
