package sign_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the test program be the plugins that it installs.
func TestMain(m *testing.M) {
	if program := filepath.Base(os.Args[0]); strings.HasPrefix(program, "sigstore-kms-") {
		os.Exit(plugin(strings.TrimPrefix(program, "sigstore-kms-")))
	}
	os.Exit(m.Run())
}
