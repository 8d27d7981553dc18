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
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("PGEXT_ORACLES") == "required" {
		t.Fatalf("oracle %s is required and not installed", program)
	}
	record(t, program)
	t.Skipf("oracle %s is not installed", program)
	return ""
}

func record(t testing.TB, program string) {
	dir := os.Getenv("PGEXT_ORACLE_LOG")
	if dir == "" {
		return
	}
	name := strings.NewReplacer("/", "_", " ", "_").Replace(t.Name())
	note := fmt.Sprintf("%s: %s is not installed\n", t.Name(), program)
	if err := os.WriteFile(filepath.Join(dir, program+"."+name), []byte(note), 0o644); err != nil {
		t.Logf("recording that %s is not installed: %v", program, err)
	}
}
