package signtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/oracle"
	"github.com/pgext/pgext/internal/testmirror"
)

// Password of the keys that Cosign.NewKey creates.
const Password = "correct horse"

// Cosign runs the program cosign of the Debian package in a directory.
type Cosign struct {
	path, dir string
}

// NewCosign returns the program of Debian forky with a new directory.
func NewCosign(tb testing.TB) Cosign {
	tb.Helper()
	if runtime.GOOS != "linux" {
		oracle.Missing(tb, "cosign", "packaged for Linux")
	}
	return Cosign{filepath.Join(testmirror.Unpacked(tb, "forky", runtime.GOARCH, "cosign"), "usr/bin/cosign"), tb.TempDir()}
}

// In returns the program with another directory, which must exist.
func (c Cosign) In(dir string) Cosign { return Cosign{c.path, dir} }

// Dir returns the working directory.
func (c Cosign) Dir() string { return c.dir }

// Run runs the program and returns its output. The environment has a proxy that
// blocks all hosts except loopback.
func (c Cosign) Run(tb testing.TB, args ...string) (stdout, stderr string, err error) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), c.path, args...)
	cmd.Dir = c.dir
	cmd.Env = []string{
		"HOME=" + c.dir, "TUF_ROOT=" + filepath.Join(c.dir, "tuf"), "PATH=" + os.Getenv("PATH"), "TMPDIR=" + c.dir,
		"COSIGN_PASSWORD=" + Password, "COSIGN_YES=true",
		"HTTPS_PROXY=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1", "NO_PROXY=127.0.0.1,localhost",
	}
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// Must calls Run, and stops the test if it fails.
func (c Cosign) Must(tb testing.TB, args ...string) string {
	tb.Helper()
	stdout, stderr, err := c.Run(tb, args...)
	if err != nil {
		tb.Fatalf("cosign %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return stdout
}

// NewKey creates a key pair in Dir and returns the file names.
func (c Cosign) NewKey(tb testing.TB, name string) (private, public string) {
	tb.Helper()
	c.Must(tb, "generate-key-pair", "--output-key-prefix", name)
	return filepath.Join(c.dir, name+".key"), filepath.Join(c.dir, name+".pub")
}

// Write writes a file in Dir and returns its name.
func (c Cosign) Write(tb testing.TB, name string, content []byte) string {
	tb.Helper()
	file := filepath.Join(c.dir, name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		tb.Fatal(err)
	}
	return file
}
