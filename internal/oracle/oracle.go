package oracle

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Need returns the path of program. Where it is not installed the test is
// skipped and, when PGEXT_ORACLE_LOG names a folder, leaves a note there that
// `make test` counts at its end; with PGEXT_ORACLES=required the test fails.
func Need(tb testing.TB, program string) string {
	tb.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	Missing(tb, program, "not installed")
	return ""
}

// Missing treats what, which need not be a program, as Need treats a program
// that is not installed. why completes the sentence "it is …".
func Missing(tb testing.TB, what, why string) {
	tb.Helper()
	if os.Getenv("PGEXT_ORACLES") == "required" {
		tb.Fatalf("oracle %s is required and %s", what, why)
	}
	record(tb, what, why)
	tb.Skipf("oracle %s is %s", what, why)
}

func record(tb testing.TB, what, why string) {
	tb.Helper()
	dir := os.Getenv("PGEXT_ORACLE_LOG")
	if dir == "" {
		return
	}
	name := strings.NewReplacer("/", "_", " ", "_").Replace(tb.Name())
	note := fmt.Sprintf("%s: %s is %s\n", tb.Name(), what, why)
	if err := os.WriteFile(filepath.Join(dir, what+"."+name), []byte(note), 0o644); err != nil {
		tb.Logf("recording that %s is %s: %v", what, why, err)
	}
}
