package elftest

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// Spec describes an ELF file. Its zero value is an amd64 shared object that
// neither has a name nor needs anything.
type Spec struct {
	// Arch is a Debian architecture; "" is amd64. Build panics on others than
	// those of its table.
	Arch string
	// Type is "dyn", "exec" or "rel"; "" is "dyn".
	Type string
	// SONAME, Needed, Rpath, Runpath and Interp are what they say; empty ones
	// are left out.
	SONAME         string
	Needed         []string
	Rpath, Runpath []string
	Interp         string
	// Versions maps NEEDED names to the versions wanted of them; Weak holds
	// those that may be absent. Libraries are written in sorted order.
	Versions, Weak map[string][]string
	// Defines holds the versions defined. The base version, named SONAME, is
	// put before them as linkers do.
	Defines []string
	// Imports and Exports are dynamic symbols that the file wants of others
	// and that it defines.
	Imports, Exports []string
	// Size is the least number of bytes of the file, which zeros fill up.
	Size int
	// Stripped leaves the section headers out.
	Stripped bool
}

// target is how an architecture shows in an ELF header.
type target struct {
	wide    bool
	order   order
	machine uint16
	flags   uint32
}

type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

var (
	little order = binary.LittleEndian
	big    order = binary.BigEndian
)

// targets is written out here, not shared with the reader it tests.
var targets = map[string]target{
	"":         {true, little, 62, 0},
	"amd64":    {true, little, 62, 0},
	"arm64":    {true, little, 183, 0},
	"armhf":    {false, little, 40, 0x05000400},
	"armel":    {false, little, 40, 0x05000200},
	"i386":     {false, little, 3, 0},
	"loong64":  {true, little, 258, 0x43},
	"mips64el": {true, little, 8, 0x80000007},
	"mipsel":   {false, little, 8, 0x70001007},
	"powerpc":  {false, big, 20, 0},
	"ppc64":    {true, big, 21, 1},
	"ppc64el":  {true, little, 21, 2},
	"riscv64":  {true, little, 243, 5},
	"s390x":    {true, big, 22, 0},
	"x32":      {false, little, 62, 0},
}

var types = map[string]uint16{"": 3, "dyn": 3, "exec": 2, "rel": 1}

// Build returns the file that s describes. The same Spec gives the same bytes.
func Build(s Spec) []byte {
	t, ok := targets[s.Arch]
	if !ok {
		panic("elftest: unknown architecture " + s.Arch)
	}
	typ, ok := types[s.Type]
	if !ok {
		panic("elftest: unknown type " + s.Type)
	}
	b := &builder{Spec: s, target: t, typ: typ, dynstr: []byte{0}}
	b.build()
	return b.buf
}

// libraries returns the names that a version need is to be written for.
func (s Spec) libraries() []string {
	all := maps.Clone(s.Versions)
	if all == nil {
		all = map[string][]string{}
	}
	maps.Copy(all, s.Weak)
	return slices.Sorted(maps.Keys(all))
}

func searchPath(dirs []string) string { return strings.Join(dirs, ":") }
