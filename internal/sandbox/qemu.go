package sandbox

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
)

// machine is a machine that qemu-user emulates: QEMU's name of it, and the ELF
// header of its programs.
type machine struct {
	name  string
	order binary.ByteOrder
	elf   elf.Machine
}

// machines are the machines of PostgreSQL's images, by OCI architecture.
var machines = map[string]machine{
	"amd64":   {"x86_64", binary.LittleEndian, elf.EM_X86_64},
	"arm64":   {"aarch64", binary.LittleEndian, elf.EM_AARCH64},
	"ppc64le": {"ppc64le", binary.LittleEndian, elf.EM_PPC64},
	"riscv64": {"riscv64", binary.LittleEndian, elf.EM_RISCV},
	"s390x":   {"s390x", binary.BigEndian, elf.EM_S390},
}

// FindEmulator returns the emulator that runs programs of arch, a Debian
// architecture, on this machine. It is nil if the kernel runs them, natively or
// with a registered emulator. If they cannot be run at all, why is the reason;
// otherwise it is "".
func FindEmulator(arch string) (e *Emulator, why string) {
	a, known := debian.LookupArchitecture(arch)
	m, emulable := machines[a.OCI]
	switch {
	case known && a.OCI == runtime.GOARCH:
		return nil, ""
	case !known || !emulable:
		return nil, fmt.Sprintf("this machine is %s, and no emulator of %s is known", runtime.GOARCH, arch)
	case registered("qemu-" + m.name):
		return nil, ""
	}
	if program, ok := findQEMU(m.name); ok {
		return m.emulator(program), ""
	}
	return nil, fmt.Sprintf("this machine is %s, and has no emulator of %s (qemu-user-static)", runtime.GOARCH, arch)
}

// registered reports whether the kernel has an emulator under the name that Debian
// gives it, opened at its registration.
func registered(name string) bool {
	text, err := os.ReadFile(filepath.Join("/proc/sys/fs/binfmt_misc", name))
	return err == nil && strings.HasPrefix(string(text), "enabled") && fixedBinary.Match(text)
}

// fixedBinary matches flag F.
var fixedBinary = regexp.MustCompile(`(?m)^flags: .*F`)

// findQEMU looks for an emulator that runs in any root file system, without a
// dynamic loader.
func findQEMU(name string) (string, bool) {
	for _, program := range []string{"qemu-" + name + "-static", "qemu-" + name} {
		at, err := exec.LookPath(program)
		if err == nil && static(at) {
			if at, err = filepath.Abs(at); err == nil {
				return at, true
			}
		}
	}
	return "", false
}

// static reports whether a program needs no dynamic loader.
func static(program string) bool {
	f, err := elf.Open(program)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // nothing is written
	return !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

// emulator returns program as the emulator of this machine's 64-bit ELF
// executables, for any operating system.
func (m machine) emulator(program string) *Emulator {
	magic, mask := make([]byte, 20), make([]byte, 20)
	copy(magic, elf.ELFMAG)
	magic[elf.EI_CLASS], magic[elf.EI_DATA], magic[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	if m.order == binary.BigEndian {
		magic[elf.EI_DATA] = byte(elf.ELFDATA2MSB)
	}
	m.order.PutUint16(magic[16:], uint16(elf.ET_EXEC))
	m.order.PutUint16(magic[18:], uint16(m.elf))
	for i := range elf.EI_OSABI {
		mask[i] = 0xff
	}
	m.order.PutUint16(mask[16:], 0xfffe) // ET_DYN differs from ET_EXEC in the last bit
	m.order.PutUint16(mask[18:], 0xffff)
	return &Emulator{Path: program, Magic: magic, Mask: mask}
}
