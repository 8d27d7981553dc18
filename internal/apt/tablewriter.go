package apt

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// tableWriter collects the stanzas of one Packages file and writes them as a
// table (see table.go).
type tableWriter struct {
	arch string
	// data is what comes after the header.
	data pile
	rows []writerRow
	// record is scratch space.
	record []byte
	// names are all package names that were mentioned, in order of first
	// mention; ids are their positions.
	names    []string
	ids      map[string]uint32
	hasRow   []bool // by id
	provides []pair // id of the virtual name, row
}

type writerRow struct {
	id, off         uint32
	priority, flags uint8
}

type pair struct{ a, b uint32 }

func newTableWriter(arch string) *tableWriter {
	return &tableWriter{arch: arch, ids: make(map[string]uint32, 1<<16)}
}

// id returns the number of a name, which is new when this is its first
// mention.
func (w *tableWriter) id(name []byte) uint32 {
	if id, ok := w.ids[string(name)]; ok {
		return id
	}
	id, s := uint32(len(w.names)), string(name)
	w.names = append(w.names, s)
	w.hasRow = append(w.hasRow, false)
	w.ids[s] = id
	return id
}

// mentionOrder are the fields whose names apt's cache generator creates
// packages for, in its order.
var mentionOrder = [...]field{
	fieldPreDepends, fieldDepends, fieldConflicts, fieldBreaks,
	fieldRecommends, fieldSuggests, fieldReplaces, fieldEnhances,
}

// add appends a stanza. One of a foreign architecture is left out.
func (w *tableWriter) add(s *stanza) error {
	arch := string(s[fieldArchitecture])
	if len(s[fieldPackage]) == 0 || len(s[fieldVersion]) == 0 || arch == "" {
		return fmt.Errorf("stanza %.80q has no package name, version or architecture", s[fieldPackage])
	}
	if arch != w.arch && arch != "all" {
		return nil
	}
	row := writerRow{id: w.id(s[fieldPackage]), off: w.offset()}
	w.hasRow[row.id] = true
	for _, f := range mentionOrder {
		eachName(s[f], func(name, qualifier []byte) {
			if q := string(qualifier); q == "" || q == "native" || q == w.arch {
				w.id(name)
			}
		})
	}
	eachName(s[fieldProvides], func(name, _ []byte) {
		w.provides = append(w.provides, pair{w.id(name), uint32(len(w.rows))})
	})
	row.priority = priorityNumber(string(s[fieldPriority]))
	if isYes(s[fieldEssential]) {
		row.flags |= flagEssential
	}
	if isYes(s[fieldProtected]) || isYes(s[fieldImportant]) {
		row.flags |= flagProtected
	}
	w.rows = append(w.rows, row)
	return w.encode(s)
}

// offset is where in the table the next string will be.
func (w *tableWriter) offset() uint32 { return uint32(headerSize + w.data.size) }

// storedFields are the strings of a package record, in the order they are
// written and read.
var storedFields = [...]field{
	fieldPackage, fieldVersion, fieldArchitecture, fieldSource, fieldSection, fieldPriority, fieldMultiArch,
	fieldPreDepends, fieldDepends, fieldRecommends, fieldSuggests, fieldProvides, fieldConflicts, fieldBreaks,
	fieldFilename,
}

// encode appends the record of a stanza to the data.
func (w *tableWriter) encode(s *stanza) error {
	b := w.record[:0]
	for _, f := range storedFields {
		b = appendString(b, s[f])
	}
	size := int64(0)
	if len(s[fieldSize]) > 0 {
		var err error
		if size, err = strconv.ParseInt(string(s[fieldSize]), 10, 64); err != nil || size < 0 {
			return fmt.Errorf("package %s: size %.40q is not a number", s[fieldPackage], s[fieldSize])
		}
	}
	b = binary.AppendUvarint(b, uint64(size))
	for _, d := range [...]struct {
		field field
		size  int
	}{{fieldSHA256, 32}, {fieldSHA512, 64}} {
		var sum [64]byte
		text := s[d.field]
		if _, err := hex.Decode(sum[:], text[:min(len(text), 128)]); err != nil || len(text) != 0 && len(text) != 2*d.size {
			return fmt.Errorf("package %s: %s %.140q is not a digest", s[fieldPackage], fieldNames[d.field], text)
		}
		b = appendString(b, sum[:len(text)/2])
	}
	w.record = b
	w.data.appendString(b)
	if w.data.size > maxTable {
		return fmt.Errorf("more than %d bytes of package records", maxTable)
	}
	return nil
}

func appendString(b, s []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func isYes(v []byte) bool { return bytes.EqualFold(v, []byte("yes")) }

// table sorts what was added and returns the finished table. The writer must
// not be used afterwards.
func (w *tableWriter) table() []byte {
	position := w.sortRows()
	var mentions []pair // offset of the name, rank; sorted by name
	w.provides = slices.CompactFunc(w.sortProvides(position), func(p, q pair) bool { return p == q })
	virtual := w.writeVirtualNames(&mentions)

	dataSize := w.data.size
	w.ids, w.names = nil, nil
	out := make([]byte, headerSize, headerSize+dataSize+len(w.rows)*rowSize+(len(virtual)+len(mentions))*pairSize)
	out = w.data.appendTo(out)
	for _, r := range w.rows {
		out = binary.LittleEndian.AppendUint32(out, r.off)
		out = binary.LittleEndian.AppendUint32(out, r.id)
		out = append(out, r.priority, r.flags, 0, 0)
	}
	for _, p := range append(virtual, mentions...) {
		out = binary.LittleEndian.AppendUint32(out, p.a)
		out = binary.LittleEndian.AppendUint32(out, p.b)
	}
	copy(out, tableMagic)
	for i, n := range []int{len(w.rows), len(virtual), len(mentions), dataSize} {
		binary.LittleEndian.PutUint32(out[len(tableMagic)+4*i:], uint32(n))
	}
	return out
}

// sortRows orders the rows by name, those of one name as they were read, and
// returns the new position of each old one.
func (w *tableWriter) sortRows() []uint32 {
	order := make([]uint32, len(w.rows))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(i, j uint32) int {
		return strings.Compare(w.names[w.rows[i].id], w.names[w.rows[j].id])
	})
	sorted, position := make([]writerRow, len(order)), make([]uint32, len(order))
	for to, from := range order {
		sorted[to], position[from] = w.rows[from], uint32(to)
	}
	w.rows = sorted
	return position
}

func (w *tableWriter) sortProvides(position []uint32) []pair {
	for i := range w.provides {
		w.provides[i].b = position[w.provides[i].b]
	}
	slices.SortFunc(w.provides, func(p, q pair) int {
		if c := strings.Compare(w.names[p.a], w.names[q.a]); c != 0 {
			return c
		}
		return int(p.b) - int(q.b)
	})
	return w.provides
}

// writeVirtualNames appends the names that no record holds to the data: those
// that are provided, and those that are only mentioned. It returns the list
// of provides and fills the one of mentions, both with offsets for names.
func (w *tableWriter) writeVirtualNames(mentions *[]pair) []pair {
	offsets := make(map[uint32]uint32)
	offset := func(id uint32) uint32 {
		off, ok := offsets[id]
		if !ok {
			off = w.offset()
			w.data.appendString([]byte(w.names[id]))
			offsets[id] = off
		}
		return off
	}
	virtual := make([]pair, len(w.provides))
	for i, p := range w.provides {
		virtual[i] = pair{offset(p.a), p.b}
	}
	var only []uint32
	for id := range w.names {
		if !w.hasRow[id] {
			only = append(only, uint32(id))
		}
	}
	slices.SortFunc(only, func(a, b uint32) int { return strings.Compare(w.names[a], w.names[b]) })
	for _, id := range only {
		*mentions = append(*mentions, pair{offset(id), id})
	}
	return virtual
}
