package failure_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/pgext/pgext/internal/failure"
)

func TestError(t *testing.T) {
	err := error(failure.New(failure.Untrusted, "pass --key", "reading %s: %w", "a.json", fs.ErrNotExist))
	if got, want := err.Error(), "reading a.json: file does not exist"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is not in the chain")
	}
	var f *failure.Error
	if wrapped := fmt.Errorf("building x: %w", err); !errors.As(wrapped, &f) || f.ExitCode() != 13 || f.Hint() != "pass --key" {
		t.Errorf("errors.As found %+v", f)
	}
}

func TestWrap(t *testing.T) {
	if err := failure.Wrap(failure.Lock, "", nil); err != nil {
		t.Errorf("Wrap(nil) = %v", err)
	}
	err := failure.Wrap(failure.Lock, "run pgext lock", fs.ErrExist)
	if err.Error() != fs.ErrExist.Error() || !errors.Is(err, fs.ErrExist) {
		t.Errorf("Wrap() = %v", err)
	}
}

// TestReplace keeps the cause in the chain but not in the message.
func TestReplace(t *testing.T) {
	err := error(failure.Replace(failure.Other, "", fmt.Errorf("https://user:secret@host: %w", fs.ErrPermission), "host: %d", 403))
	if err.Error() != "host: 403" || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Replace() = %v", err)
	}
}

func ExampleNew() {
	err := failure.New(failure.Recipe, "rename the field to postgres", "recipe.yaml:3:1: unknown field %q", "pg")
	fmt.Println(err)
	fmt.Println("hint:", err.Hint())
	fmt.Println("exit code:", err.ExitCode())
	// Output:
	// recipe.yaml:3:1: unknown field "pg"
	// hint: rename the field to postgres
	// exit code: 10
}
