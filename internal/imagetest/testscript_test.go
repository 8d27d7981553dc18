package imagetest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pgext/pgext/internal/recipe"
)

// TestTestScript: what is no script is the recipe's fault, and keeps nobody
// waiting.
func TestTestScript(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "good.sql"), []byte("SELECT 1;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.sql"), 0o600); err != nil {
		t.Fatal(err)
	}
	large, err := os.Create(filepath.Join(dir, "large.sql"))
	if err == nil {
		err = errors.Join(large.Truncate(maxScript+1), large.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"":          "",
		"good.sql":  "",
		"gone.sql":  "no such file or directory",
		".":         "is no file",
		"pipe.sql":  "pipe.sql is no file",
		"large.sql": "large.sql has more than 64 MiB",
	} {
		r := &recipe.Recipe{Path: filepath.Join(dir, "recipe.yaml")}
		r.Test.SQL = name
		got, err := testScript(r)
		var wrong *ScriptError
		switch {
		case want == "" && (err != nil || (got != "") != (name != "")):
			t.Errorf("%q: got %q, %v", name, got, err)
		case want != "" && (!errors.As(err, &wrong) || wrong.ExitCode() != 10 || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: got %v", name, err)
		}
	}
}
