package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// stepEmulator is the name of the step that registers an emulator.
const stepEmulator = "registering the emulator"

// emulator registers e as the interpreter of another machine's programs. A user
// namespace has its own register, which lasts as long as its mount. Flag F opens
// the emulator at registration, while the host's files are visible
// (Documentation/admin-guide/binfmt-misc.rst).
func (m mounter) emulator(e *Emulator) error {
	if e == nil {
		return nil
	}
	at := filepath.Join(m.root, "dev", "binfmt_misc")
	if err := os.Mkdir(at, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("binfmt_misc", at, "binfmt_misc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting binfmt_misc: %w", err)
	}
	return os.WriteFile(filepath.Join(at, "register"), []byte(e.registration()), 0o200)
}

// registration returns the line to write to binfmt_misc/register.
func (e *Emulator) registration() string {
	hex := func(b []byte) string {
		var out strings.Builder
		for _, c := range b {
			fmt.Fprintf(&out, `\x%02x`, c)
		}
		return out.String()
	}
	return strings.Join([]string{"", "pgext", "M", "0", hex(e.Magic), hex(e.Mask), e.Path, "F"}, ":")
}
