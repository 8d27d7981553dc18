package lock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"

	"github.com/pgext/pgext/internal/strictjson"
)

// maxSize is the largest lock in bytes.
const maxSize = 16 << 20

// Load reads the lock at path. When there is none it returns an empty lock and
// false. A file that is no lock is an *InvalidError.
func Load(path string) (Lock, bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Lock{}, false, nil
	}
	if err != nil {
		return Lock{}, false, fmt.Errorf("loading lock: %w", err)
	}
	defer f.Close() // read side: the read error is the one that counts
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return Lock{}, false, fmt.Errorf("loading lock %s: %w", path, err)
	}
	l, err := Parse(path, data)
	return l, err == nil, err
}

// Parse reads a lock strictly: unknown or repeated fields, another version and
// invalid pins are an *InvalidError. name is what errors call the file. Any
// order is accepted; the lock that is returned is sorted.
func Parse(name string, data []byte) (Lock, error) {
	if len(data) > maxSize {
		return Lock{}, &InvalidError{Name: name, Err: fmt.Errorf("larger than %d MiB", maxSize>>20)}
	}
	var version struct {
		Lock *int `json:"lock"`
	}
	switch err := json.Unmarshal(data, &version); {
	case err != nil:
		return Lock{}, &InvalidError{Name: name, Err: located(data, err)}
	case version.Lock == nil:
		return Lock{}, &InvalidError{Name: name, Err: errors.New(`no version: field "lock" is missing`)}
	case *version.Lock != Version:
		err := fmt.Errorf("version %d of the format, not %d", *version.Lock, Version)
		return Lock{}, &InvalidError{Name: name, Err: err, Newer: *version.Lock > Version}
	}
	if err := checkKeys(data); err != nil {
		return Lock{}, &InvalidError{Name: name, Err: err}
	}
	var doc struct {
		Lock    int      `json:"lock"`
		Targets []Target `json:"targets"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return Lock{}, &InvalidError{Name: name, Err: located(data, err)}
	}
	l := Lock{doc.Targets}.normal()
	if err := l.check(name); err != nil {
		return Lock{}, err
	}
	return l, nil
}

// located adds the line to an error of the JSON decoder.
func located(data []byte, err error) error {
	var offset int64
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &mismatch):
		offset = mismatch.Offset
		err = fmt.Errorf("%s: want %v, got %s", mismatch.Field, mismatch.Type, mismatch.Value)
		if mismatch.Field == "" {
			err = fmt.Errorf("want an object, got %s", mismatch.Value)
		}
	default:
		return err
	}
	return fmt.Errorf("line %d: %w", line(data, offset), err)
}

var plainKey = regexp.MustCompile(`^[a-z0-9_]+$`)

// checkKeys refuses what encoding/json lets pass: fields that repeat, as after
// a bad merge, and fields in other than lower case.
func checkKeys(data []byte) error {
	err := strictjson.Check(data, strictjson.Rules{Key: func(name string) error {
		if !plainKey.MatchString(name) {
			return fmt.Errorf("unknown field %q", name)
		}
		return nil
	}})
	var e *strictjson.Error
	if errors.As(err, &e) {
		return fmt.Errorf("line %d: %w", line(data, e.Offset), e.Err)
	}
	return err
}

// line is the number of the line that holds the byte before an offset.
func line(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n"))
}
