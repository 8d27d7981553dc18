package sandbox

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/oracle"
)

// TestEmulator: a program in a format that the kernel does not know runs with the
// emulator of its sandbox, and not in other sandboxes.
func TestEmulator(t *testing.T) {
	everyUser(t, func(t *testing.T, spec Spec) {
		t.Helper()
		sandbox(t, spec).Close() // skips where there are none
		foreign := filepath.Join(spec.Root, "bin/foreign")
		if err := os.WriteFile(foreign, []byte("FOREIGNx program"), 0o755); err != nil {
			t.Fatal(err)
		}
		run := func(spec Spec) (string, error) {
			var out bytes.Buffer
			err := sandbox(t, spec).Run(t.Context(), Command{Args: []string{"/bin/foreign", "care"}, Stdout: &out})
			return out.String(), err
		}
		if got, err := run(spec); err == nil {
			t.Errorf("without an emulator: %q", got)
		}

		emulated := spec
		emulated.Emulator = &Emulator{
			Path:  filepath.Join(box(t), "box"),
			Magic: []byte("FOREIGN?"), Mask: []byte("\xff\xff\xff\xff\xff\xff\xff\x00"),
		}
		s, err := Open(t.Context(), emulated)
		var refused *EmulatorError
		if errors.As(err, &refused) && strings.Contains(err.Error(), "mounting binfmt_misc") {
			oracle.Missing(t, "binfmt_misc in a user namespace", err.Error())
		}
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		if got, err := run(emulated); err != nil || got != "emulating with [care]\n" {
			t.Errorf("with an emulator: %q, %v", got, err)
		}
		if got, err := run(spec); err == nil {
			t.Errorf("the emulator is registered in another sandbox: %q", got)
		}

		emulated.Emulator.Path = "/nowhere/qemu"
		if _, err := Open(t.Context(), emulated); !errors.As(err, &refused) || !strings.Contains(err.Error(), "making a sandbox with /nowhere/qemu: ") {
			t.Errorf("an emulator that is not there: %v", err)
		}
	})
}
