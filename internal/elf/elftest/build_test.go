package elftest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/oracle"
)

var full = Spec{
	SONAME: "libx.so.1", Needed: []string{"libc.so.6", "liby.so.2"}, Runpath: []string{"/a", "$ORIGIN"}, Interp: "/lib/ld.so",
	Versions: map[string][]string{"libc.so.6": {"GLIBC_2.34", "GLIBC_2.38"}, "liby.so.2": {"Y_1"}},
	Weak:     map[string][]string{"liby.so.2": {"Y_2"}}, Defines: []string{"X_1", "X_2"}, Size: 9000,
}

// What is built here is an ELF file to readelf, without a complaint, for
// every architecture.
func TestReadelfAgrees(t *testing.T) {
	readelf := oracle.Need(t, "readelf")
	for arch := range targets {
		t.Run("arch "+arch, func(t *testing.T) {
			s := full
			s.Arch = arch
			file := filepath.Join(t.TempDir(), "x.so")
			if err := os.WriteFile(file, Build(s), 0o644); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), readelf, "--wide", "-hlSdV", file).CombinedOutput()
			if err != nil || bytes.Contains(out, []byte("Warning")) || bytes.Contains(out, []byte("Error")) {
				t.Fatalf("readelf: %v\n%s", err, out)
			}
			for _, want := range []string{
				"Library soname: [libx.so.1]", "Shared library: [liby.so.2]", "Library runpath: [/a:$ORIGIN]",
				"Requesting program interpreter: /lib/ld.so", "Name: GLIBC_2.38  Flags: none", "Name: Y_2  Flags: WEAK",
				"Flags: BASE  Index: 1  Cnt: 1  Name: libx.so.1", "Name: X_2",
			} {
				if !strings.Contains(string(out), want) {
					t.Errorf("readelf does not print %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestTwice(t *testing.T) {
	if !bytes.Equal(Build(full), Build(full)) {
		t.Error("Build gives different bytes the second time")
	}
	if got := len(Build(full)); got < full.Size {
		t.Errorf("Build gives %d bytes, want %d or more", got, full.Size)
	}
}
