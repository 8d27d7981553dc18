package elf

import (
	"bytes"
	"debug/elf"
	"io"
)

const (
	// maxSymbols bounds the dynamic symbol table. The largest libraries of
	// Debian have some hundred thousand.
	maxSymbols = 1 << 20
	// maxBuckets bounds a hash table, in the same way.
	maxBuckets = 1 << 20
	// maxSymbolName bounds the names that can be asked for, in bytes.
	maxSymbolName = 256
)

// Linkage describes how a file knows a dynamic symbol.
type Linkage uint8

const (
	// Absent symbols are not in the file's dynamic symbol table.
	Absent Linkage = iota
	// Imported symbols are wanted of another file.
	Imported
	// Exported symbols are defined by the file for others.
	Exported
)

// Symbols looks the names up in the dynamic symbol table of the size bytes
// behind r. Names that are absent have no entry in the result. It returns
// ErrNotELF and *FormatError as Read does; a file without dynamic symbols has
// none of them. Names of more than 256 bytes are not found.
func Symbols(r io.ReaderAt, size int64, names ...string) (map[string]Linkage, error) {
	f := &file{w: window{r: r, size: size}}
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	found := map[string]Linkage{}
	if t := f.header.object().Type; t != "dyn" && t != "exec" {
		return found, nil
	}
	if err := f.readSegments(); err != nil {
		return nil, err
	}
	d, err := f.readDynamic()
	if err != nil {
		return nil, err
	}
	var count uint64
	if d.symtab != 0 {
		if count, err = f.symbolCount(d); err != nil {
			return nil, err
		}
	}
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = name != "" && len(name) <= maxSymbolName
	}
	for i := uint64(1); i < count; i++ { // number 0 is reserved
		if err := f.symbol(d, i, wanted, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// symbol looks at one entry of the symbol table (System V ABI, chapter 4).
func (f *file) symbol(d dynamic, i uint64, wanted map[string]bool, found map[string]Linkage) error {
	const part = "symbol table"
	size := 16
	if f.wide() {
		size = 24
	}
	start, length, ok := f.offset(d.symtab)
	if !ok || (i+1)*uint64(size) > length {
		return malformed(part, "entry %d is not in the file", i)
	}
	b, ok, err := f.w.at(start+i*uint64(size), size)
	if err != nil {
		return err
	}
	if !ok {
		return malformed(part, "entry %d is outside the file", i)
	}
	info, section := b[12], f.order.Uint16(b[14:])
	if f.wide() {
		info, section = b[4], f.order.Uint16(b[6:])
	}
	bind := elf.ST_BIND(info)
	if bind != elf.STB_GLOBAL && bind != elf.STB_WEAK && bind != elf.STB_LOOS { // STB_GNU_UNIQUE
		return nil
	}
	name, err := f.symbolName(d, uint64(f.order.Uint32(b)))
	if err != nil || !wanted[name] {
		return err
	}
	if elf.SectionIndex(section) == elf.SHN_UNDEF {
		found[name] = max(found[name], Imported)
	} else {
		found[name] = Exported
	}
	return nil
}

// symbolName returns the string at off in the string table, "" when it is
// longer than any name that can be asked for.
func (f *file) symbolName(d dynamic, off uint64) (string, error) {
	start, length, ok := f.offset(d.strtab)
	if !ok || off >= min(length, d.strsz) {
		return "", malformed("string table", "offset %#x is outside", off)
	}
	b, err := f.strings.upTo(start+off, maxSymbolName+1)
	if err != nil {
		return "", err
	}
	b = b[:min(uint64(len(b)), maxSymbolName+1, min(length, d.strsz)-off)]
	end := bytes.IndexByte(b, 0)
	if end < 0 {
		return "", nil
	}
	return string(b[:end]), nil
}

// symbolCount returns the number of dynamic symbols, which only the hash
// tables tell.
func (f *file) symbolCount(d dynamic) (uint64, error) {
	var count uint64
	var err error
	switch {
	case d.gnuHash != 0:
		count, err = f.gnuCount(d.gnuHash)
	case d.hash != 0: // its chain has an element for each symbol
		var words []uint32
		if words, err = f.words("hash table", d.hash, 2); err == nil {
			count = uint64(words[1])
		}
	}
	if err == nil && count > maxSymbols {
		err = malformed("symbol table", "%d entries, more than %d", count, maxSymbols)
	}
	return count, err
}

// gnuCount reads the number of symbols from a DT_GNU_HASH table: those before
// symoffset are not hashed, and the chain of the highest bucket ends at the
// last one.
func (f *file) gnuCount(addr uint64) (uint64, error) {
	const part = "GNU hash table"
	head, err := f.words(part, addr, 4)
	if err != nil {
		return 0, err
	}
	buckets, symoffset, bloom := uint64(head[0]), uint64(head[1]), uint64(head[2])
	if buckets > maxBuckets || bloom > maxBuckets {
		return 0, malformed(part, "%d buckets, %d bloom words", buckets, bloom)
	}
	word := uint64(4)
	if f.wide() {
		word = 8
	}
	table := addr + 16 + bloom*word
	last := uint64(0)
	for i := range buckets {
		w, err := f.words(part, table+4*i, 1)
		if err != nil {
			return 0, err
		}
		last = max(last, uint64(w[0]))
	}
	if last < symoffset {
		return symoffset, nil
	}
	for chain := table + 4*buckets; last < maxSymbols; last++ {
		w, err := f.words(part, chain+4*(last-symoffset), 1)
		if err != nil {
			return 0, err
		}
		if w[0]&1 == 1 {
			return last + 1, nil
		}
	}
	return 0, malformed(part, "more than %d symbols", maxSymbols)
}

// words reads n 32-bit words at an address.
func (f *file) words(part string, addr uint64, n int) ([]uint32, error) {
	off, length, ok := f.offset(addr)
	if !ok || length < uint64(4*n) {
		return nil, malformed(part, "address %#x is not in the file", addr)
	}
	b, ok, err := f.w.at(off, 4*n)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, malformed(part, "address %#x is outside the file", addr)
	}
	out := make([]uint32, n)
	for i := range out {
		out[i] = f.order.Uint32(b[4*i:])
	}
	return out, nil
}
