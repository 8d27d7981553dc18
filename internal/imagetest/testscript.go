package imagetest

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pgext/pgext/internal/recipe"
)

// maxScript bounds a recipe's test script, in bytes.
const maxScript = 64 << 20

// ScriptError is about the script that test.sql of a recipe names.
type ScriptError struct {
	// Recipe and Path are where both are.
	Recipe, Path string
	Err          error
}

func (e *ScriptError) Error() string { return fmt.Sprintf("%s: test.sql: %v", e.Recipe, e.Err) }

// Hint returns where scripts are looked for.
func (*ScriptError) Hint() string { return "test.sql in a recipe is a path from the recipe's folder" }

// ExitCode returns 10: the recipe names the wrong thing.
func (*ScriptError) ExitCode() int { return 10 }

// Unwrap returns why it cannot be read.
func (e *ScriptError) Unwrap() error { return e.Err }

// testScript returns the test script of a recipe; "" when it has none. The
// error is a *ScriptError.
func testScript(r *recipe.Recipe) (string, error) {
	if r == nil || r.Test.SQL == "" {
		return "", nil
	}
	path := filepath.Join(filepath.Dir(r.Path), filepath.FromSlash(r.Test.SQL))
	text, err := readScript(path)
	if err != nil {
		return "", &ScriptError{Recipe: r.Path, Path: path, Err: err}
	}
	return text, nil
}

func readScript(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular(): // opening a pipe would wait for who writes
		return "", fmt.Errorf("%s is no file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxScript+1))
	if err == nil && len(text) > maxScript {
		err = fmt.Errorf("%s has more than %d MiB", path, maxScript>>20)
	}
	return string(text), err
}
