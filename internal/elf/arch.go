package elf

import "debug/elf"

// Bits of e_flags that tell ABIs of one machine apart.
const (
	armEABIMask  = 0xff000000
	armEABI5     = 0x05000000
	armSoftFloat = 0x200
	mipsABI2     = 0x20 // the n32 ABI
	mipsArchMask = 0xf0000000
	mips32R6     = 0x90000000
	mips64R6     = 0xa0000000
)

// machine identifies an architecture, apart from e_flags.
type machine struct {
	machine elf.Machine
	class   elf.Class
	data    elf.Data
}

// names holds Debian's names, from dpkg's cputable and tupletable.
var names = map[machine]string{
	{elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB}:    "amd64",
	{elf.EM_X86_64, elf.ELFCLASS32, elf.ELFDATA2LSB}:    "x32",
	{elf.EM_386, elf.ELFCLASS32, elf.ELFDATA2LSB}:       "i386",
	{elf.EM_AARCH64, elf.ELFCLASS64, elf.ELFDATA2LSB}:   "arm64",
	{elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2LSB}:     "ppc64el",
	{elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2MSB}:     "ppc64",
	{elf.EM_PPC, elf.ELFCLASS32, elf.ELFDATA2MSB}:       "powerpc",
	{elf.EM_S390, elf.ELFCLASS64, elf.ELFDATA2MSB}:      "s390x",
	{elf.EM_S390, elf.ELFCLASS32, elf.ELFDATA2MSB}:      "s390",
	{elf.EM_RISCV, elf.ELFCLASS64, elf.ELFDATA2LSB}:     "riscv64",
	{elf.EM_LOONGARCH, elf.ELFCLASS64, elf.ELFDATA2LSB}: "loong64",
	{elf.EM_ALPHA, elf.ELFCLASS64, elf.ELFDATA2LSB}:     "alpha",
	{elf.EM_PARISC, elf.ELFCLASS32, elf.ELFDATA2MSB}:    "hppa",
	{elf.EM_IA_64, elf.ELFCLASS64, elf.ELFDATA2LSB}:     "ia64",
	{elf.EM_68K, elf.ELFCLASS32, elf.ELFDATA2MSB}:       "m68k",
	{elf.EM_SH, elf.ELFCLASS32, elf.ELFDATA2LSB}:        "sh4",
	{elf.EM_SPARCV9, elf.ELFCLASS64, elf.ELFDATA2MSB}:   "sparc64",
}

// arch returns the Debian architecture, "" when there is none.
func (h header) arch() string {
	switch h.machine {
	case elf.EM_ARM:
		return h.arm()
	case elf.EM_MIPS:
		return h.mips()
	}
	return names[machine{h.machine, h.class, h.data}]
}

// arm tells the float ABIs apart. An object with neither mark fits both, as
// glibc's ldconfig has it; it counts as armhf, the one Debian still releases.
func (h header) arm() string {
	if h.class != elf.ELFCLASS32 || h.data != elf.ELFDATA2LSB || h.flags&armEABIMask != armEABI5 {
		return ""
	}
	if h.flags&armSoftFloat != 0 {
		return "armel"
	}
	return "armhf"
}

// mips puts the name together as Debian does: mips, ABI and release, order.
func (h header) mips() string {
	name := "mips"
	switch {
	case h.class == elf.ELFCLASS64:
		name += "64"
	case h.flags&mipsABI2 != 0:
		name += "n32"
	}
	if r := h.flags & mipsArchMask; r == mips32R6 || r == mips64R6 {
		name += "r6"
	}
	if h.data == elf.ELFDATA2LSB {
		name += "el"
	}
	return name
}

// Machine names the machine of an Object.Arch to people, who are told too when
// Debian has no name for it.
func Machine(arch string) string {
	if arch == "" {
		return "an unknown machine"
	}
	return arch
}
