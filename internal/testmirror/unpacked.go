package testmirror

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pgext/pgext/internal/oracle"
)

// Unpacked returns a folder that holds the files of the package called name.
// It is made once: the cache keeps it.
func Unpacked(tb testing.TB, suite, arch, name string) string {
	tb.Helper()
	deb := Deb(tb, suite, arch, name)
	folder := deb + ".unpacked"
	if _, err := os.Stat(folder); err == nil {
		return folder
	}
	temp, err := os.MkdirTemp(filepath.Dir(deb), ".partial-*") //nolint:usetesting // it outlives the test
	if err != nil {
		tb.Fatal(err)
	}
	defer os.RemoveAll(temp) //nolint:errcheck // gone when it has been renamed
	if out, err := exec.CommandContext(tb.Context(), oracle.Need(tb, "dpkg-deb"), "-x", deb, temp).CombinedOutput(); err != nil {
		tb.Fatalf("unpacking %s: %v\n%s", name, err, out)
	}
	// Another process may have been faster.
	if err := os.Rename(temp, folder); err != nil && !errors.Is(err, fs.ErrExist) {
		tb.Fatal(err)
	}
	return folder
}
