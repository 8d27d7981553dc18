package elftest

import "slices"

// fileHeader encodes the ELF header of size bytes.
func (b *builder) fileHeader(size, phbytes, shoff, shnum int) []byte {
	class, data, phsize, shsize := byte(1), byte(1), 32, 40
	if b.wide {
		class, phsize, shsize = 2, 56, 64
	}
	if b.order == big {
		data = 2
	}
	out := append([]byte("\x7fELF"), class, data, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	out = b.halves(out, b.typ, b.machine)
	out = append(out, b.words(1)...)
	phoff := size
	if phbytes == 0 {
		phoff = 0
	}
	for _, v := range []int{0, phoff, shoff} {
		out = append(out, b.address(uint64(v))...)
	}
	out = append(out, b.words(b.flags)...)
	return b.halves(out, uint16(size), uint16(phsize), uint16(phbytes/phsize), uint16(shsize), uint16(shnum), uint16(max(0, shnum-1)))
}

// segments encodes the program headers: everything up to loaded is mapped at
// its own offset.
func (b *builder) segments(loaded int) []byte {
	dyn, interp := b.find(".dynamic"), b.find(".interp")
	out := b.segment(ptLoad, 0, loaded)
	out = append(out, b.segment(ptDynamic, dyn.offset, dyn.length)...)
	if interp.length == 0 {
		return append(out, b.segment(0, 0, 0)...)
	}
	return append(out, b.segment(ptInterp, interp.offset, interp.length)...)
}

func (b *builder) segment(typ uint32, offset, length int) []byte {
	const flags, align = 6, 8
	out := b.words(typ)
	if b.wide {
		out = append(out, b.words(flags)...)
	}
	for _, v := range []int{offset, offset, offset, length, length} {
		out = append(out, b.address(uint64(v))...)
	}
	if b.wide {
		return append(out, b.address(align)...)
	}
	return append(out, b.words(flags, align)...)
}

// sectionHeaders appends the names and headers of all sections, and returns
// where the headers start and how many they are.
func (b *builder) sectionHeaders() (offset, count int) {
	strtab := []byte{0}
	var names []int
	for _, name := range append(b.sectionNames(), ".shstrtab") {
		names = append(names, len(strtab))
		strtab = append(append(strtab, name...), 0)
	}
	b.section(section{name: ".shstrtab", typ: shtStrtab}, strtab)
	for len(b.buf)%8 != 0 {
		b.buf = append(b.buf, 0)
	}
	offset = len(b.buf)
	b.buf = append(b.buf, b.sectionHeader(section{}, 0)...)
	for i, s := range b.sections {
		b.buf = append(b.buf, b.sectionHeader(s, names[i])...)
	}
	return offset, len(b.sections) + 1
}

func (b *builder) sectionNames() []string {
	var out []string
	for _, s := range b.sections {
		out = append(out, s.name)
	}
	return out
}

func (b *builder) sectionHeader(s section, name int) []byte {
	alloc, align := uint64(0), uint64(0)
	if s.offset > 0 {
		align = 8
	}
	if s.name != "" && s.name != ".shstrtab" {
		alloc = 2
	}
	out := b.words(uint32(name), s.typ)
	for _, v := range []uint64{alloc, uint64(s.offset) * (alloc / 2), uint64(s.offset), uint64(s.length)} {
		out = append(out, b.address(v)...)
	}
	link := slices.Index(b.sectionNames(), s.link) + 1
	out = append(out, b.words(uint32(link), uint32(s.info))...)
	return append(append(out, b.address(align)...), b.address(uint64(s.entsize))...)
}
