package elf

// maxVersions bounds the symbol versions one file needs, and those it
// defines. Qt and glibc define a few dozen.
const maxVersions = 1 << 13

// versionWeak is VER_FLG_WEAK.
const versionWeak = 2

// chain walks a linked list of structures of size bytes, starting at address
// addr (at file offset off), until visit returns 0 as the distance to the
// next one. Distances are unsigned, so a list cannot turn back; budget, which
// nested lists share, bounds it anyway.
func (f *file) chain(part string, off uint64, size int, budget *int, visit func(off uint64, b []byte) (next uint32, err error)) error {
	for {
		if *budget--; *budget < 0 {
			return malformed(part, "more than %d entries", maxVersions)
		}
		b, ok, err := f.w.at(off, size)
		if err != nil {
			return err
		}
		if !ok {
			return malformed(part, "entry at offset %#x is outside the file", off)
		}
		next, err := visit(off, b)
		if err != nil || next == 0 {
			return err
		}
		off += uint64(next)
	}
}

// needs reads the versions needed (Linux Standard Base, section "Symbol
// Versioning": Elfxx_Verneed and Elfxx_Vernaux). Like glibc it follows the
// links and ignores the counts.
func (f *file) needs(d dynamic) ([]Need, error) {
	const part = "needed versions"
	if d.verneed == 0 {
		return nil, nil
	}
	start, _, ok := f.offset(d.verneed)
	if !ok {
		return nil, malformed(part, "address %#x is not in the file", d.verneed)
	}
	var out []Need
	budget := maxVersions
	err := f.chain(part, start, 16, &budget, func(off uint64, b []byte) (uint32, error) {
		library, aux, next := f.order.Uint32(b[4:]), f.order.Uint32(b[8:]), f.order.Uint32(b[12:])
		name, err := f.name(d, uint64(library))
		if err != nil {
			return 0, err
		}
		n := Need{Library: name}
		err = f.chain(part, off+uint64(aux), 16, &budget, func(_ uint64, b []byte) (uint32, error) {
			flags, version, next := f.order.Uint16(b[4:]), f.order.Uint32(b[8:]), f.order.Uint32(b[12:])
			s, err := f.name(d, uint64(version))
			if flags&versionWeak != 0 {
				n.Weak = append(n.Weak, s)
			} else {
				n.Versions = append(n.Versions, s)
			}
			return next, err
		})
		out = append(out, n)
		return next, err
	})
	return out, err
}

// defines reads the names of the versions defined (Elfxx_Verdef, of whose
// Elfxx_Verdaux entries the first is the name and the rest are its parents).
func (f *file) defines(d dynamic) ([]string, error) {
	const part = "defined versions"
	if d.verdef == 0 {
		return nil, nil
	}
	start, _, ok := f.offset(d.verdef)
	if !ok {
		return nil, malformed(part, "address %#x is not in the file", d.verdef)
	}
	var out []string
	budget := maxVersions
	err := f.chain(part, start, 20, &budget, func(off uint64, b []byte) (uint32, error) {
		aux, next := f.order.Uint32(b[12:]), f.order.Uint32(b[16:])
		a, ok, err := f.w.at(off+uint64(aux), 8)
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, malformed(part, "name of the entry at offset %#x is outside the file", off)
		}
		name, err := f.name(d, uint64(f.order.Uint32(a)))
		out = append(out, name)
		return next, err
	})
	return out, err
}
