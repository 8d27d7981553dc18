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

	"github.com/pgext/pgext/internal/failure"
	"github.com/pgext/pgext/internal/strictjson"
)

// maxSize is the largest lock in bytes.
const maxSize = 16 << 20

// Load reads the lock at path. If the file does not exist it returns an empty lock
// and false. The error for an invalid lock has exit code 11.
func Load(path string) (Lock, bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Lock{}, false, nil
	}
	if err != nil {
		return Lock{}, false, fmt.Errorf("loading lock: %w", err)
	}
	defer f.Close() // opened for reading: its error adds nothing
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return Lock{}, false, fmt.Errorf("loading lock %s: %w", path, err)
	}
	l, err := Parse(path, data)
	return l, err == nil, err
}

// Parse reads a lock strictly: unknown or repeated fields, another version of the
// format and invalid pins are errors with exit code 11. name is the file in error
// messages. Any order is accepted; the returned lock is sorted.
func Parse(name string, data []byte) (Lock, error) {
	if len(data) > maxSize {
		return Lock{}, invalid(name, fmt.Errorf("larger than %d MiB", maxSize>>20))
	}
	var version struct {
		Lock *int `json:"lock"`
	}
	switch err := json.Unmarshal(data, &version); {
	case err != nil:
		return Lock{}, invalid(name, located(data, err))
	case version.Lock == nil:
		return Lock{}, invalid(name, errors.New(`no version: field "lock" is missing`))
	case *version.Lock > Version:
		return Lock{}, failure.New(failure.Lock, "upgrade pgext, or make the lock again with this one: pgext lock RECIPE",
			"reading lock %s: version %d of the format, not %d", name, *version.Lock, Version)
	case *version.Lock != Version:
		return Lock{}, invalid(name, fmt.Errorf("version %d of the format, not %d", *version.Lock, Version))
	}
	if err := checkKeys(data); err != nil {
		return Lock{}, invalid(name, err)
	}
	var doc struct {
		Lock    int      `json:"lock"`
		Targets []Target `json:"targets"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return Lock{}, invalid(name, located(data, err))
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

// checkKeys returns an error for two things that encoding/json accepts: repeated
// fields, as after a bad merge, and fields not in lower case.
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

// line returns the number of the line that contains the byte before an offset.
func line(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n"))
}
