package sign_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain runs the test program as a plugin if it is called by a plugin name.
func TestMain(m *testing.M) {
	if program := filepath.Base(os.Args[0]); strings.HasPrefix(program, "sigstore-kms-") {
		os.Exit(plugin(strings.TrimPrefix(program, "sigstore-kms-")))
	}
	os.Exit(m.Run())
}
