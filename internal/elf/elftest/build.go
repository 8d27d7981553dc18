package elftest

// Section and segment types, dynamic tags: System V ABI.
const (
	shtStrtab, shtHash, shtDynamic, shtDynsym = 3, 5, 6, 11
	shtVerdef, shtVerneed, shtVersym          = 0x6ffffffd, 0x6ffffffe, 0x6fffffff
	shtProgbits                               = 1

	ptLoad, ptDynamic, ptInterp = 1, 2, 3

	dtNeeded, dtHash, dtStrtab, dtSymtab, dtStrsz, dtSyment = 1, 4, 5, 6, 10, 11
	dtSoname, dtRpath, dtRunpath                            = 14, 15, 29
	dtVersym, dtVerdef, dtVerdefnum                         = 0x6ffffff0, 0x6ffffffc, 0x6ffffffd
	dtVerneed, dtVerneednum                                 = 0x6ffffffe, 0x6fffffff
)

// section is a part of the file, at the same offset and address.
type section struct {
	name           string
	typ            uint32
	link           string
	info, entsize  int
	offset, length int
}

type builder struct {
	Spec
	target
	typ      uint16
	buf      []byte
	dynstr   []byte
	sections []section
}

// build lays the file out: headers, one loaded stretch, section headers. All
// names are put into the string table by the parts before it.
func (b *builder) build() {
	headers, phsize, phnum := 52, 32, 3
	if b.wide {
		headers, phsize = 64, 56
	}
	if b.Type == "rel" {
		phnum = 0
	}
	b.buf = make([]byte, headers+phsize*phnum)
	if phnum > 0 {
		b.body()
	}
	loaded := len(b.buf)
	if pad := b.Size - len(b.buf); pad > 0 {
		b.buf = append(b.buf, make([]byte, pad)...)
	}
	shoff, shnum := 0, 0
	if !b.Stripped {
		shoff, shnum = b.sectionHeaders()
	}
	head := b.fileHeader(headers, phsize*phnum, shoff, shnum)
	if phnum > 0 {
		head = append(head, b.segments(loaded)...)
	}
	copy(b.buf, head)
}

// body writes the loaded sections.
func (b *builder) body() {
	if b.Interp != "" {
		b.section(section{name: ".interp", typ: shtProgbits}, append([]byte(b.Interp), 0))
	}
	symsize := len(b.symbol(0, 0, 0))
	symbols, hash := b.symbols()
	b.section(section{name: ".dynsym", typ: shtDynsym, link: ".dynstr", info: 1, entsize: symsize}, symbols)
	b.section(section{name: ".hash", typ: shtHash, link: ".dynsym", entsize: 4}, hash)
	if len(b.Defines)+len(b.libraries()) > 0 {
		versions := b.halves(nil, 0) // VER_NDX_LOCAL, then VER_NDX_GLOBAL
		for range len(symbols)/symsize - 1 {
			versions = b.halves(versions, 1)
		}
		b.section(section{name: ".gnu.version", typ: shtVersym, link: ".dynsym", entsize: 2}, versions)
	}
	if len(b.Defines) > 0 {
		b.section(section{name: ".gnu.version_d", typ: shtVerdef, link: ".dynstr", info: len(b.Defines) + 1}, b.verdef())
	}
	if libs := b.libraries(); len(libs) > 0 {
		b.section(section{name: ".gnu.version_r", typ: shtVerneed, link: ".dynstr", info: len(libs)}, b.verneed(libs))
	}
	entries := b.dynamic()
	b.section(section{name: ".dynstr", typ: shtStrtab}, b.dynstr)
	b.section(section{name: ".dynamic", typ: shtDynamic, link: ".dynstr", entsize: len(b.address(0)) * 2}, b.pairs(entries))
}

// section appends a part, aligned to eight bytes.
func (b *builder) section(s section, data []byte) {
	for len(b.buf)%8 != 0 {
		b.buf = append(b.buf, 0)
	}
	s.offset, s.length = len(b.buf), len(data)
	b.buf = append(b.buf, data...)
	b.sections = append(b.sections, s)
}

func (b *builder) find(name string) section {
	for _, s := range b.sections {
		if s.name == name {
			return s
		}
	}
	return section{}
}

// name puts s into the dynamic string table.
func (b *builder) name(s string) uint32 {
	off := uint32(len(b.dynstr))
	b.dynstr = append(append(b.dynstr, s...), 0)
	return off
}

func (b *builder) words(values ...uint32) []byte {
	var out []byte
	for _, v := range values {
		out = b.order.AppendUint32(out, v)
	}
	return out
}

// address encodes one address-sized value.
func (b *builder) address(v uint64) []byte {
	if b.wide {
		return b.order.AppendUint64(nil, v)
	}
	return b.order.AppendUint32(nil, uint32(v))
}
