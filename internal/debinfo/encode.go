package debinfo

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

// The encoding of facts is one stretch of all digests, 32 bytes each, in the
// order of the files, and then numbers as varints and strings behind their
// length. It is read far more often than it is written, so strings are whole:
// a decoder can hand out pieces of the record and copy nothing.

// encoder appends to b.
type encoder struct{ b []byte }

func (e *encoder) number(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) signed(v int64)  { e.b = binary.AppendVarint(e.b, v) }

func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) list(list []string) {
	e.number(uint64(len(list)))
	for _, s := range list {
		e.text(s)
	}
}

func (e *encoder) table(m map[string]string) {
	e.number(uint64(len(m)))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		e.text(k)
		e.text(m[k])
	}
}

// encode returns f as a record. The same facts give the same bytes.
func encode(f *facts) ([]byte, error) {
	e := &encoder{}
	if err := e.digests(f.entries); err != nil {
		return nil, err
	}
	fields := f.control.Fields()
	e.number(uint64(len(fields)))
	for _, field := range fields {
		e.text(field.Name)
		e.text(field.Value)
	}
	e.table(f.scripts)
	e.number(uint64(len(f.entries)))
	for _, entry := range f.entries {
		e.entry(entry)
	}
	e.number(uint64(len(f.objects)))
	for _, path := range slices.Sorted(maps.Keys(f.objects)) {
		e.text(path)
		e.object(f.objects[path])
	}
	e.table(f.malformed)
	return e.b, nil
}

func (e *encoder) digests(entries []filetree.Entry) error {
	var all []byte
	for _, entry := range entries {
		if entry.Kind != filetree.File {
			continue
		}
		sum, err := hex.DecodeString(entry.SHA256)
		if err != nil || len(sum) != digestSize {
			return fmt.Errorf("encoding %s: %q is no SHA-256 digest", entry.Path, entry.SHA256)
		}
		all = append(all, sum...)
	}
	e.text(string(all))
	return nil
}

func (e *encoder) entry(n filetree.Entry) {
	e.number(uint64(n.Kind))
	e.text(n.Path)
	e.number(uint64(n.Mode))
	e.signed(n.ModTime.Unix())
	switch n.Kind {
	case filetree.Symlink:
		e.text(n.Link)
	case filetree.File:
		e.number(uint64(n.Size))
	}
}

func (e *encoder) object(o elf.Object) {
	e.text(o.Arch)
	e.number(uint64(o.Class))
	e.number(uint64(o.Data))
	e.number(uint64(o.Machine))
	e.text(o.Type)
	e.text(o.SONAME)
	e.list(o.Needed)
	e.list(o.Rpath)
	e.list(o.Runpath)
	e.text(o.Interp)
	e.number(uint64(len(o.Versions)))
	for _, n := range o.Versions {
		e.text(n.Library)
		e.list(n.Versions)
		e.list(n.Weak)
	}
	e.list(o.Defines)
}
