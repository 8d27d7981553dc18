package elftest

// symbols encodes the dynamic symbol table and its hash table, in which one
// bucket has all.
func (b *builder) symbols() (table, hash []byte) {
	const undefined, absolute = 0, 0xfff1
	table = b.symbol(0, 0, undefined)
	for _, name := range b.Imports {
		table = append(table, b.symbol(b.name(name), global, undefined)...)
	}
	for _, name := range b.Exports {
		table = append(table, b.symbol(b.name(name), global, absolute)...)
	}
	count := uint32(1 + len(b.Imports) + len(b.Exports))
	first := min(1, count-1)
	hash = b.words(1, count, first, 0) // buckets, chains, the bucket, chain of symbol 0
	for i := uint32(1); i < count; i++ {
		hash = append(hash, b.words((i+1)%count)...)
	}
	return table, hash
}

// global is the info of a symbol that other files see, of type function.
const global = 1<<4 | 2

// symbol encodes one entry of the symbol table.
func (b *builder) symbol(name uint32, info byte, section uint16) []byte {
	out := b.words(name)
	if !b.wide {
		out = append(out, b.words(0, 0)...)
	}
	out = append(out, info, 0)
	out = b.halves(out, section)
	if b.wide {
		out = append(append(out, b.address(0)...), b.address(0)...)
	}
	return out
}
