package elf

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// maxSegments bounds the program header table. Real files have a dozen.
const maxSegments = 1024

// header holds the fields of an ELF file header that are of use here.
type header struct {
	class   elf.Class
	data    elf.Data
	typ     elf.Type
	machine elf.Machine
	flags   uint32
	phoff   uint64
	phnum   int
}

// segment is one program header.
type segment struct {
	typ                   elf.ProgType
	offset, vaddr, filesz uint64
}

// file is an ELF file while it is being read. Structures and strings have
// windows of their own, since reading alternates between the two.
type file struct {
	w, strings window
	order      binary.ByteOrder
	header     header
	segments   []segment
	// left is how many more bytes of strings may be kept.
	left int
}

// wide reports whether addresses have 64 bits.
func (f *file) wide() bool { return f.header.class == elf.ELFCLASS64 }

// word decodes an address or offset at b[narrow:] in 32-bit files, and at
// b[wide:] in 64-bit ones.
func (f *file) word(b []byte, narrow, wide int) uint64 {
	if f.wide() {
		return f.order.Uint64(b[wide:])
	}
	return uint64(f.order.Uint32(b[narrow:]))
}

// readHeader reads the ELF header (System V ABI, chapter 4).
func (f *file) readHeader() error {
	ident, ok, err := f.w.at(0, elf.EI_NIDENT)
	if err != nil {
		return err
	}
	if !ok || !bytes.HasPrefix(ident, []byte(elf.ELFMAG)) {
		return f.shortOrForeign()
	}
	h := &f.header
	h.class, h.data = elf.Class(ident[elf.EI_CLASS]), elf.Data(ident[elf.EI_DATA])
	size := 64
	switch h.class {
	case elf.ELFCLASS32:
		size = 52
	case elf.ELFCLASS64:
	default:
		return malformed("header", "unknown class %d", h.class)
	}
	switch h.data {
	case elf.ELFDATA2LSB:
		f.order = binary.LittleEndian
	case elf.ELFDATA2MSB:
		f.order = binary.BigEndian
	default:
		return malformed("header", "unknown byte order %d", h.data)
	}
	b, ok, err := f.w.at(0, size)
	if err != nil {
		return err
	}
	if !ok {
		return malformed("header", "truncated at %d bytes", f.w.size)
	}
	return f.parseHeader(b)
}

// shortOrForeign tells a file that is too short to be an ELF file, though it
// starts like one, from a file that is something else.
func (f *file) shortOrForeign() error {
	magic, ok, err := f.w.at(0, len(elf.ELFMAG))
	if err != nil {
		return err
	}
	if ok && string(magic) == elf.ELFMAG {
		return malformed("header", "truncated at %d bytes", f.w.size)
	}
	return ErrNotELF
}

func (f *file) parseHeader(b []byte) error {
	h := &f.header
	h.typ, h.machine = elf.Type(f.order.Uint16(b[16:])), elf.Machine(f.order.Uint16(b[18:]))
	h.phoff = f.word(b, 28, 32)
	rest := b[36:]
	if f.wide() {
		rest = b[48:]
	}
	h.flags = f.order.Uint32(rest)
	h.phnum = int(f.order.Uint16(rest[8:]))
	if got, want := int(f.order.Uint16(rest[6:])), f.segmentSize(); h.phnum > 0 && got != want {
		return malformed("header", "program headers of %d bytes, not %d", got, want)
	}
	return nil
}

func (f *file) segmentSize() int {
	if f.wide() {
		return 56
	}
	return 32
}

// readSegments reads the program header table.
func (f *file) readSegments() error {
	const part = "program headers"
	if f.header.phnum > maxSegments {
		return malformed(part, "%d of them, more than %d", f.header.phnum, maxSegments)
	}
	size := f.segmentSize()
	for i := range f.header.phnum {
		off := f.header.phoff + uint64(i*size)
		b, ok, err := f.w.at(off, size)
		if err != nil {
			return err
		}
		if !ok || off < f.header.phoff {
			return malformed(part, "number %d is outside the file", i)
		}
		s := segment{typ: elf.ProgType(f.order.Uint32(b))}
		s.offset, s.vaddr, s.filesz = f.word(b, 4, 8), f.word(b, 8, 16), f.word(b, 16, 32)
		f.segments = append(f.segments, s)
	}
	return nil
}

// checkMappings wants all that the loader maps to be in the file: touching what
// is not ends the process.
func (f *file) checkMappings() error {
	for i, s := range f.segments {
		if end := s.offset + s.filesz; s.typ == elf.PT_LOAD && (end < s.offset || end > uint64(f.w.size)) {
			return malformed("program headers", "number %d maps what is outside the file of %d bytes", i, f.w.size)
		}
	}
	return nil
}

// segment returns the first program header of a type.
func (f *file) segment(typ elf.ProgType) (segment, bool) {
	for _, s := range f.segments {
		if s.typ == typ {
			return s, true
		}
	}
	return segment{}, false
}

// offset returns where in the file the loader finds what it maps at addr, and
// how many bytes of the file follow in the same mapping.
func (f *file) offset(addr uint64) (off, length uint64, ok bool) {
	for _, s := range f.segments {
		if s.typ == elf.PT_LOAD && addr >= s.vaddr && addr-s.vaddr < s.filesz {
			delta := addr - s.vaddr
			off, length = s.offset+delta, s.filesz-delta
			return off, length, off >= s.offset && off < uint64(f.w.size)
		}
	}
	return 0, 0, false
}

// readInterp reads the program interpreter, by file offset as the kernel does.
func (f *file) readInterp(o *Object) error {
	s, ok := f.segment(elf.PT_INTERP)
	if !ok || s.filesz == 0 {
		return nil
	}
	b, ok, err := f.w.at(s.offset, int(min(s.filesz, windowSize)))
	if err != nil {
		return err
	}
	if !ok {
		return malformed("interpreter", "outside the file")
	}
	end := bytes.IndexByte(b, 0)
	if end < 0 {
		return malformed("interpreter", "not terminated")
	}
	o.Interp = string(b[:end])
	return nil
}

// object returns what the header alone tells.
func (h header) object() Object {
	o := Object{Arch: h.arch(), Class: h.class, Data: h.data, Machine: h.machine}
	switch h.typ {
	case elf.ET_DYN:
		o.Type = "dyn"
	case elf.ET_EXEC:
		o.Type = "exec"
	case elf.ET_REL:
		o.Type = "rel"
	case elf.ET_CORE:
		o.Type = "core"
	}
	return o
}
