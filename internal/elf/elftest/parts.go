package elftest

import "slices"

// verdef encodes the versions defined: the base, then each of Defines.
func (b *builder) verdef() []byte {
	base := b.SONAME
	if base == "" {
		base = "base"
	}
	var out []byte
	for i, name := range append([]string{base}, b.Defines...) {
		flags, next := uint16(0), uint32(28)
		if i == 0 {
			flags = 1 // VER_FLG_BASE
		}
		if i == len(b.Defines) {
			next = 0
		}
		out = b.halves(out, 1, flags, uint16(i+1), 1)
		out = append(out, b.words(elfHash(name), 20, next)...)
		out = append(out, b.words(b.name(name), 0)...)
	}
	return out
}

// verneed encodes the versions needed of libs.
func (b *builder) verneed(libs []string) []byte {
	var out []byte
	index := uint16(len(b.Defines) + 2)
	for i, lib := range libs {
		versions, weak := b.Versions[lib], b.Weak[lib]
		all := slices.Concat(versions, weak)
		next := uint32(16 + 16*len(all))
		if i == len(libs)-1 {
			next = 0
		}
		out = b.halves(out, 1, uint16(len(all)))
		out = append(out, b.words(b.name(lib), 16, next)...)
		for j, name := range all {
			flags, next := uint16(0), uint32(16)
			if j >= len(versions) {
				flags = 2 // VER_FLG_WEAK
			}
			if j == len(all)-1 {
				next = 0
			}
			out = append(out, b.words(elfHash(name))...)
			out = b.halves(out, flags, index)
			out = append(out, b.words(b.name(name), next)...)
			index++
		}
	}
	return out
}

func (b *builder) halves(out []byte, values ...uint16) []byte {
	for _, v := range values {
		out = b.order.AppendUint16(out, v)
	}
	return out
}

// dynamic returns tags and values. It comes after every other part that has
// an address, save the string table, which follows at once.
func (b *builder) dynamic() [][2]uint64 {
	var out [][2]uint64
	add := func(tag, value uint64) { out = append(out, [2]uint64{tag, value}) }
	for _, n := range b.Needed {
		add(dtNeeded, uint64(b.name(n)))
	}
	for _, s := range []struct {
		tag  uint64
		text string
	}{{dtSoname, b.SONAME}, {dtRpath, searchPath(b.Rpath)}, {dtRunpath, searchPath(b.Runpath)}} {
		if s.text != "" {
			add(s.tag, uint64(b.name(s.text)))
		}
	}
	sym := b.find(".dynsym")
	add(dtSymtab, uint64(sym.offset))
	add(dtSyment, uint64(sym.entsize))
	add(dtHash, uint64(b.find(".hash").offset))
	if s := b.find(".gnu.version"); s.offset > 0 {
		add(dtVersym, uint64(s.offset))
	}
	if s := b.find(".gnu.version_d"); s.offset > 0 {
		add(dtVerdef, uint64(s.offset))
		add(dtVerdefnum, uint64(s.info))
	}
	if s := b.find(".gnu.version_r"); s.offset > 0 {
		add(dtVerneed, uint64(s.offset))
		add(dtVerneednum, uint64(s.info))
	}
	add(dtStrtab, uint64((len(b.buf)+7)&^7))
	add(dtStrsz, uint64(len(b.dynstr)))
	add(0, 0)
	return out
}

func (b *builder) pairs(entries [][2]uint64) []byte {
	var out []byte
	for _, e := range entries {
		out = append(append(out, b.address(e[0])...), b.address(e[1])...)
	}
	return out
}

// elfHash is the hash of the System V ABI, chapter 5.
func elfHash(name string) uint32 {
	var h uint32
	for _, c := range []byte(name) {
		h = h<<4 + uint32(c)
		g := h & 0xf0000000
		h = (h ^ g>>24) &^ g
	}
	return h
}
