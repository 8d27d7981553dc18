package apt

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/debian"
)

// tableWriter collects the packages of one Packages file and writes them as a
// table (see table.go).
type tableWriter struct {
	arch string
	// data holds the bytes after the header.
	data pile
	rows []writerRow
	// record is a buffer for one record.
	record []byte
	// names holds all package names in the order of their first mention, ids
	// their positions.
	names    []string
	ids      map[string]uint32
	hasRow   []bool // by id
	provides []pair // id of the virtual name, row
}

type writerRow struct {
	id, off  uint32
	priority uint8
}

type pair struct{ a, b uint32 }

func newTableWriter(arch string) *tableWriter {
	return &tableWriter{arch: arch, ids: make(map[string]uint32, 1<<16)}
}

// id returns the number of a name, a new one at its first mention.
func (w *tableWriter) id(name string) uint32 {
	if id, ok := w.ids[name]; ok {
		return id
	}
	id, name := uint32(len(w.names)), strings.Clone(name) // not the whole paragraph
	w.names = append(w.names, name)
	w.hasRow = append(w.hasRow, false)
	w.ids[name] = id
	return id
}

// mentioning lists the fields whose names apt's cache generator creates packages
// for, in its order.
var mentioning = []string{"Pre-Depends", "Depends", "Conflicts", "Breaks", "Recommends", "Suggests", "Replaces", "Enhances"}

// add appends a paragraph of a Packages file. It skips a foreign architecture.
func (w *tableWriter) add(c debian.Paragraph) error {
	p, err := fromIndex(c)
	if err != nil || p.Arch != w.arch && p.Arch != "all" {
		return err
	}
	row := writerRow{id: w.id(p.Name), off: w.offset(), priority: priorityNumber(p.Priority)}
	w.hasRow[row.id] = true
	for _, field := range mentioning {
		for r := range debian.Relations(c.Get(field)) {
			if r.Arch == "" || r.Arch == "native" || r.Arch == w.arch {
				w.id(r.Name)
			}
		}
	}
	for r := range debian.Relations(p.Provides) {
		w.provides = append(w.provides, pair{w.id(r.Name), uint32(len(w.rows))})
	}
	w.rows = append(w.rows, row)
	w.record = p.appendRecord(w.record[:0])
	w.data.appendString(w.record)
	if w.data.size > maxTable {
		return fmt.Errorf("more than %d bytes of package records", maxTable)
	}
	return nil
}

// offset returns the offset in the table of the next string.
func (w *tableWriter) offset() uint32 { return uint32(headerSize + w.data.size) }

// table sorts the packages and returns the finished table. The writer must not be
// used afterwards.
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
		out = append(out, r.priority, 0, 0, 0)
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

// writeVirtualNames appends the names without a record to the data: provided
// names, and names that are only mentioned. It returns the list of provides and
// fills the list of mentions, both with offsets in place of names.
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
