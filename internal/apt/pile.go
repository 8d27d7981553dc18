package apt

// pieceSize is the size of a pile's pieces in bytes.
const pieceSize = 1 << 20

// pile collects bytes without moving them. A slice that grows to the size of a
// table takes twice its room on the way, and leaves five times of it behind
// for the collector.
type pile struct {
	pieces [][]byte
	size   int
}

// appendString adds the length of s, then s.
func (p *pile) appendString(s []byte) {
	const prefix = 10 // most bytes of a length
	last := len(p.pieces) - 1
	if last < 0 || cap(p.pieces[last])-len(p.pieces[last]) < prefix+len(s) {
		p.pieces = append(p.pieces, make([]byte, 0, max(pieceSize, prefix+len(s))))
		last++
	}
	before := len(p.pieces[last])
	p.pieces[last] = appendString(p.pieces[last], s)
	p.size += len(p.pieces[last]) - before
}

// appendTo adds everything to b and empties the pile as it goes.
func (p *pile) appendTo(b []byte) []byte {
	for i, piece := range p.pieces {
		b = append(b, piece...)
		p.pieces[i] = nil
	}
	*p = pile{}
	return b
}
