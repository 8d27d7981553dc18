package elf

import (
	"bytes"
	"debug/elf"
	"strings"
)

const (
	// maxDynamic bounds the entries of a dynamic section. Real files have
	// some dozens.
	maxDynamic = 1 << 14
	// maxStrings bounds the bytes of all names kept from one file.
	maxStrings = 1 << 18
)

// dynamic holds the entries of a dynamic section that are of use here, as
// addresses and as offsets into the string table.
type dynamic struct {
	strtab, strsz   uint64
	verneed, verdef uint64
	symtab          uint64
	hash, gnuHash   uint64
	needed          []uint64

	soname, rpath, runpath entry
}

// entry is a value that a dynamic section may lack.
type entry struct {
	value uint64
	ok    bool
}

// readDynamic reads the dynamic section, from where the loader sees it. A
// static program has none.
func (f *file) readDynamic() (dynamic, error) {
	const part = "dynamic section"
	var d dynamic
	s, ok := f.segment(elf.PT_DYNAMIC)
	if !ok || s.filesz == 0 {
		return d, nil
	}
	off, length, ok := f.offset(s.vaddr)
	if !ok {
		return d, malformed(part, "address %#x is not in the file", s.vaddr)
	}
	size := 8
	if f.wide() {
		size = 16
	}
	for i := range min(s.filesz, length) / uint64(size) {
		if i == maxDynamic {
			return d, malformed(part, "more than %d entries", maxDynamic)
		}
		b, ok, err := f.w.at(off+i*uint64(size), size)
		if err != nil {
			return d, err
		}
		if !ok {
			return d, malformed(part, "entry %d is outside the file", i)
		}
		tag := elf.DynTag(f.word(b, 0, 0))
		if tag == elf.DT_NULL {
			break
		}
		d.add(tag, f.word(b, 4, 8))
	}
	f.left = maxStrings
	f.strings = window{r: f.w.r, size: f.w.size}
	return d, nil
}

// add files one entry. Of a tag that may appear once the last one counts, as
// in the loader.
func (d *dynamic) add(tag elf.DynTag, value uint64) {
	switch tag {
	case elf.DT_NEEDED:
		d.needed = append(d.needed, value)
	case elf.DT_SONAME:
		d.soname = entry{value, true}
	case elf.DT_RPATH:
		d.rpath = entry{value, true}
	case elf.DT_RUNPATH:
		d.runpath = entry{value, true}
	case elf.DT_STRTAB:
		d.strtab = value
	case elf.DT_STRSZ:
		d.strsz = value
	case elf.DT_VERNEED:
		d.verneed = value
	case elf.DT_VERDEF:
		d.verdef = value
	case elf.DT_SYMTAB:
		d.symtab = value
	case elf.DT_HASH:
		d.hash = value
	case elf.DT_GNU_HASH:
		d.gnuHash = value
	}
}

// names fills in what the dynamic section gives by name.
func (f *file) names(d dynamic, o *Object) error {
	for _, off := range d.needed {
		name, err := f.name(d, off)
		if err != nil {
			return err
		}
		o.Needed = append(o.Needed, name)
	}
	var err error
	if o.SONAME, err = f.optional(d, d.soname); err != nil {
		return err
	}
	if o.Rpath, err = f.path(d, d.rpath); err != nil {
		return err
	}
	o.Runpath, err = f.path(d, d.runpath)
	return err
}

// optional returns the string of an entry, "" when there is none.
func (f *file) optional(d dynamic, e entry) (string, error) {
	if !e.ok {
		return "", nil
	}
	return f.name(d, e.value)
}

// path splits a search path.
func (f *file) path(d dynamic, e entry) ([]string, error) {
	s, err := f.optional(d, e)
	if err != nil || s == "" {
		return nil, err
	}
	return strings.Split(s, ":"), nil
}

// name returns the string at off in the string table.
func (f *file) name(d dynamic, off uint64) (string, error) {
	const part = "string table"
	start, length, ok := f.offset(d.strtab)
	if !ok {
		return "", malformed(part, "address %#x is not in the file", d.strtab)
	}
	length = min(length, d.strsz)
	if off >= length {
		return "", malformed(part, "offset %#x is beyond its %#x bytes", off, length)
	}
	limit := length - off
	b, err := f.strings.upTo(start+off, 1)
	if err != nil {
		return "", err
	}
	end := bytes.IndexByte(b[:min(limit, uint64(len(b)))], 0)
	if end < 0 {
		// It may only have been cut by the window.
		if b, err = f.strings.upTo(start+off, windowSize); err != nil {
			return "", err
		}
		end = bytes.IndexByte(b[:min(limit, uint64(len(b)))], 0)
	}
	if end < 0 {
		return "", malformed(part, "string at %#x is not terminated within %d bytes", off, min(limit, windowSize))
	}
	if f.left -= end; f.left < 0 {
		return "", malformed(part, "names of more than %d bytes", maxStrings)
	}
	return string(b[:end]), nil
}
