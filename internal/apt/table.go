package apt

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sort"
)

// A table is the parsed form of one Packages file in one byte slice. Lookups decode
// only the records they return, so opening a table costs no more than reading it.
// A resolution opens four of them. encoding/gob takes 5.5 times as long to decode
// the 70,735 packages of forky for amd64 and allocates 197 MB (BenchmarkLoad/warm:
// 31 MB), encoding/json takes 16 times as long: both exceed the budgets of
// .ci/bench.sh.
//
//	magic      8 bytes, with the version of the format
//	counts     4 × uint32: rows, provides, mentions, bytes of data
//	data       records, then the names that only provides and mentions use
//	rows       offset of the record, rank, priority; sorted by name
//	provides   offset of the virtual name, row; sorted by name, then row
//	mentions   offset of the name, rank; names without a row; sorted by name
//
// Offsets count from the start of the table. Numbers are little-endian. A string is
// its length as uvarint, then its bytes; a record is a string that contains strings
// and numbers (see appendRecord). The rank of a name is the order of its first
// mention in the file: between two otherwise equal providers apt prefers the one
// mentioned last.
type table struct {
	file                     File
	all                      []byte
	rows, provides, mentions int // counts
	rowsAt                   int
}

const (
	// tableMagic changes with every change of the format or of the fields read.
	tableMagic = "pgxapt04"
	headerSize = len(tableMagic) + 4*4
	rowSize    = 12
	pairSize   = 8
	// maxTable bounds the records of one file, in bytes.
	maxTable = 200 << 20

	flagEssential = 1 << 0
	flagProtected = 1 << 1
)

// errTable is the error of a table that cannot be used and is written again.
var errTable = errors.New("table is damaged")

// openTable checks the frame of a table.
func openTable(file File, b []byte) (*table, error) {
	if len(b) < headerSize || string(b[:len(tableMagic)]) != tableMagic {
		return nil, errTable
	}
	var n [4]int
	for i := range n {
		n[i] = int(binary.LittleEndian.Uint32(b[len(tableMagic)+4*i:]))
	}
	t := &table{file: file, all: b, rows: n[0], provides: n[1], mentions: n[2]}
	t.rowsAt = headerSize + n[3]
	if t.mentionsAt(t.mentions) != len(b) {
		return nil, errTable
	}
	return t, nil
}

func (t *table) uint32(at int) uint32 { return binary.LittleEndian.Uint32(t.all[at:]) }

func (t *table) rowAt(row int) int     { return t.rowsAt + row*rowSize }
func (t *table) providesAt(i int) int  { return t.rowAt(t.rows) + i*pairSize }
func (t *table) mentionsAt(i int) int  { return t.providesAt(t.provides) + i*pairSize }
func (t *table) rank(row int) uint32   { return t.uint32(t.rowAt(row) + 4) }
func (t *table) priority(row int) byte { return t.all[t.rowAt(row)+8] }

// text returns the string at an offset of the data.
func (t *table) text(off uint32) []byte {
	r := recordReader[[]byte]{t.all[min(int(off), t.rowsAt):t.rowsAt]}
	return r.next()
}

func (t *table) record(row int) []byte { return t.text(t.uint32(t.rowAt(row))) }

// name and version return the first two strings of a row's record.
func (t *table) name(row int) []byte {
	r := recordReader[[]byte]{t.record(row)}
	return r.next()
}

func (t *table) version(row int) string {
	r := recordReader[[]byte]{t.record(row)}
	r.next()
	return string(r.next())
}

// find returns the rows of a name, first up to but not including end.
func (t *table) find(name string) (first, end int) {
	first = sort.Search(t.rows, func(i int) bool { return string(t.name(i)) >= name })
	for end = first; end < t.rows && string(t.name(end)) == name; end++ {
	}
	return first, end
}

// providers calls fn with the rows that provide a virtual name.
func (t *table) providers(virtual string, fn func(row int)) {
	name := func(i int) []byte { return t.text(t.uint32(t.providesAt(i))) }
	first := sort.Search(t.provides, func(i int) bool { return string(name(i)) >= virtual })
	for i := first; i < t.provides && string(name(i)) == virtual; i++ {
		if row := int(t.uint32(t.providesAt(i) + 4)); row < t.rows {
			fn(row)
		}
	}
}

// rankOf returns the rank of a name, and whether the file mentions it.
func (t *table) rankOf(name string) (uint32, bool) {
	if first, end := t.find(name); first < end {
		return t.rank(first), true
	}
	at := func(i int) []byte { return t.text(t.uint32(t.mentionsAt(i))) }
	i := sort.Search(t.mentions, func(i int) bool { return string(at(i)) >= name })
	if i < t.mentions && string(at(i)) == name {
		return t.uint32(t.mentionsAt(i) + 4), true
	}
	return 0, false
}

// packageAt decodes the record of a row.
func (t *table) packageAt(row int) Package {
	p := parseRecord(string(t.record(row)))
	p.Archive, p.Suite = t.file.Archive, t.file.Suite
	return p
}

// strings returns pointers to the strings of a package's record, in their order.
func (p *Package) strings() [16]*string {
	return [...]*string{
		&p.Name, &p.Version, &p.Arch, &p.Source, &p.SourceVersion, &p.Section, &p.Priority, &p.MultiArch,
		&p.PreDepends, &p.Depends, &p.Recommends, &p.Suggests, &p.Provides, &p.Conflicts, &p.Breaks,
		&p.Filename,
	}
}

// appendRecord appends the record of the package to b. Source and SourceVersion are
// empty in a record where they equal the package's own name and version.
func (p Package) appendRecord(b []byte) []byte {
	if p.Source == p.Name {
		p.Source = ""
	}
	if p.SourceVersion == p.Version {
		p.SourceVersion = ""
	}
	for _, s := range p.strings() {
		b = appendString(b, *s)
	}
	flags := uint64(0)
	if p.Essential {
		flags |= flagEssential
	}
	if p.Protected {
		flags |= flagProtected
	}
	b = binary.AppendUvarint(b, flags)
	b = binary.AppendUvarint(b, uint64(p.Size))
	for _, digest := range []string{p.SHA256, p.SHA512} {
		b = binary.AppendUvarint(b, uint64(len(digest)/2))
		b, _ = hex.AppendDecode(b, []byte(digest)) // fromIndex has checked it
	}
	return b
}

func parseRecord(record string) Package {
	r := recordReader[string]{record}
	var p Package
	for _, s := range p.strings() {
		*s = r.next()
	}
	p.Source, p.SourceVersion = cmp.Or(p.Source, p.Name), cmp.Or(p.SourceVersion, p.Version)
	flags := r.uvarint()
	p.Essential, p.Protected = flags&flagEssential != 0, flags&flagProtected != 0
	p.Size = int64(r.uvarint())
	p.SHA256 = hex.EncodeToString([]byte(r.next()))
	p.SHA512 = hex.EncodeToString([]byte(r.next()))
	return p
}

func appendString[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// recordReader reads the strings and numbers of a record. Past the end
// everything is empty.
type recordReader[T string | []byte] struct{ rest T }

func (r *recordReader[T]) uvarint() uint64 {
	var v uint64
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		c := r.rest[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			return v
		}
	}
	r.rest = r.rest[len(r.rest):]
	return 0
}

func (r *recordReader[T]) next() T {
	n := min(r.uvarint(), uint64(len(r.rest)))
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// String names the file in messages.
func (t *table) String() string { return describe(t.file) }

func describe(f File) string {
	s := fmt.Sprintf("%s %s", f.Archive, f.Suite)
	if f.Component != "" {
		s += "/" + f.Component
	}
	if f.Arch != "" {
		s += " " + f.Arch
	}
	return s
}
