package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// Rules describe the keys of a document. The zero value has no rules.
type Rules struct {
	// Maps are fields that hold a map: what is a key in there is data, of which
	// case is a part. Everywhere else keys that differ by case are one, as for
	// encoding/json when it fills a struct.
	Maps []string
	// Key, if not nil, says why there can be no such field. It hears no keys
	// of Maps.
	Key func(name string) error
}

// Error describes what is wrong with a document.
type Error struct {
	// Offset is where reading ended, in bytes.
	Offset int64
	Err    error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// maxDepth bounds how deep a document is nested.
const maxDepth = 64

// Check returns nil when data is one JSON value in no object of which two keys
// could be taken for one; else an *Error.
func Check(data []byte, rules Rules) error {
	r := reader{json.NewDecoder(bytes.NewReader(data)), rules}
	r.UseNumber()
	err := r.value(0, false)
	if err == nil {
		if _, rest := r.Token(); !errors.Is(rest, io.EOF) {
			err = errors.New("something follows the document")
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // that of a connection is another
		err = errors.New("unexpected end of JSON input")
	}
	if err != nil {
		return &Error{r.InputOffset(), err}
	}
	return nil
}

type reader struct {
	*json.Decoder
	rules Rules
}

// value reads one value. isMap tells that an object is a map.
func (r reader) value(depth int, isMap bool) error {
	if depth > maxDepth {
		return fmt.Errorf("nested more than %d deep", maxDepth)
	}
	token, err := r.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		if err := r.members(depth, isMap); err != nil {
			return err
		}
	case json.Delim('['):
		for r.More() {
			if err := r.value(depth+1, false); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = r.Token()
	return err
}

// members reads what is in an object.
func (r reader) members(depth int, isMap bool) error {
	seen := map[string]bool{}
	for r.More() {
		token, err := r.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		key := name
		if !isMap {
			key = fold(name)
		}
		if seen[key] {
			return fmt.Errorf("key %q repeats", name)
		}
		seen[key] = true
		if r.rules.Key != nil && !isMap {
			if err := r.rules.Key(name); err != nil {
				return err
			}
		}
		if err := r.value(depth+1, slices.Contains(r.rules.Maps, name)); err != nil {
			return err
		}
	}
	return nil
}

// fold is the same for all the names that encoding/json takes for one: those
// that differ by case, where "ſ" is an s too and the Kelvin sign a k.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, name)
}
