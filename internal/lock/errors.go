package lock

import (
	"strings"

	"github.com/pgext/pgext/internal/failure"
)

// invalid returns the error for the lock called name, which this program cannot
// use. Its exit code is 11.
func invalid(name string, err error) error {
	return failure.New(failure.Lock, "restore the file, or remove it and make it again: pgext lock RECIPE", "reading lock %s: %w", name, err)
}

// OutOfDate returns the error for a lock that does not match its recipe and must
// not be written. path and recipe are files; reasons, at least one, are such as
// "forky/18/amd64: not locked". Its exit code is 11.
func OutOfDate(path, recipe string, reasons []string) error {
	return failure.New(failure.Lock, "pgext lock "+recipe, "lock %s is out of date: %s", path, strings.Join(reasons, "; "))
}
