// Package oracle finds the real programs that tests compare pgext with, and
// keeps count of the comparisons that could not run.
//
// It serves tests only.
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
	if os.Getenv("PGEXT_ORACLES") == "required" {
		tb.Fatalf("oracle %s is required and not installed", program)
	}
	record(tb, program)
	tb.Skipf("oracle %s is not installed", program)
	return ""
}

func record(tb testing.TB, program string) {
	tb.Helper()
	dir := os.Getenv("PGEXT_ORACLE_LOG")
	if dir == "" {
		return
	}
	name := strings.NewReplacer("/", "_", " ", "_").Replace(tb.Name())
	note := fmt.Sprintf("%s: %s is not installed\n", tb.Name(), program)
	if err := os.WriteFile(filepath.Join(dir, program+"."+name), []byte(note), 0o644); err != nil {
		tb.Logf("recording that %s is not installed: %v", program, err)
	}
}
