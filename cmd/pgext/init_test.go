package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInitLive probes real packages of forky: testdata/init/NAME.yaml is the
// recipe of postgresql-18-NAME. The files hold nothing that a new version of a
// package is likely to change.
func TestInitLive(t *testing.T) {
	if testing.Short() {
		t.Skip("downloads package indexes")
	}
	mirror := reachable(t)
	wanted, err := filepath.Glob("testdata/init/*.yaml")
	if err != nil || len(wanted) < 8 {
		t.Fatalf("testdata/init: %q, %v", wanted, err)
	}
	t.Setenv("PGEXT_CACHE_DIR", t.TempDir())
	for _, file := range wanted {
		name := filepath.Base(file[:len(file)-len(".yaml")])
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			code := run([]string{"init", name, "--distro", "forky", "--allow-expired", "--mirror", "debian=" + mirror}, &stdout, &stderr)
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr.String())
			}
			if diff := cmp.Diff(stdout.String(), string(want)); diff != "" {
				t.Errorf("pgext init %s (-got +want):\n%s", name, diff)
			}
		})
	}
}
