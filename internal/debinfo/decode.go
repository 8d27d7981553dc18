package debinfo

import (
	"crypto/sha256"
	stdelf "debug/elf"
	"encoding/hex"
	"errors"
	"io/fs"
	"time"

	"github.com/pgext/pgext/internal/debian"
	"github.com/pgext/pgext/internal/elf"
	"github.com/pgext/pgext/internal/filetree"
)

const digestSize = sha256.Size

var errRecord = errors.New("not a record of facts")

// decoder takes pieces off the front of rest. After the first mistake it
// gives zero values only.
type decoder struct {
	rest   string
	broken bool
}

func (d *decoder) number() uint64 {
	var v uint64
	for shift := 0; len(d.rest) > 0 && shift < 64; shift += 7 {
		c := d.rest[0]
		d.rest = d.rest[1:]
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	d.fail()
	return 0
}

func (d *decoder) signed() int64 {
	v := d.number()
	return int64(v>>1) ^ -int64(v&1)
}

func (d *decoder) fail() { d.broken, d.rest = true, "" }

func (d *decoder) text() string {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.fail()
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

// count takes the number of things to come, each of at least one byte.
func (d *decoder) count() int {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) list() []string {
	n := d.count()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.text()
	}
	return list
}

func (d *decoder) table() map[string]string {
	n := d.count()
	m := make(map[string]string, n)
	for range n {
		k := d.text()
		m[k] = d.text()
	}
	return m
}

// decode returns the facts of a record that encode made. Their strings share
// one copy of it.
func decode(record []byte) (*facts, error) {
	d := &decoder{rest: string(record)}
	sums := hex.EncodeToString([]byte(d.text()))
	fields := make([]debian.Field, d.count())
	for i := range fields {
		fields[i] = debian.Field{Name: d.text(), Value: d.text()}
	}
	f := &facts{control: debian.NewParagraph(fields...), scripts: d.table()}
	f.entries = make([]filetree.Entry, d.count())
	for i := range f.entries {
		f.entries[i], sums = d.entry(sums)
	}
	n := d.count()
	f.objects = make(map[string]elf.Object, n)
	for range n {
		path := d.text()
		f.objects[path] = d.object()
	}
	f.malformed = d.table()
	if d.broken || d.rest != "" || sums != "" {
		return nil, errRecord
	}
	return f, nil
}

// entry takes an entry, and a file's digest off the front of sums.
func (d *decoder) entry(sums string) (filetree.Entry, string) {
	e := filetree.Entry{
		Kind: filetree.Kind(d.number()), Path: d.text(), Mode: fs.FileMode(d.number()),
		ModTime: time.Unix(d.signed(), 0).UTC(),
	}
	switch e.Kind {
	case filetree.Symlink:
		e.Link = d.text()
	case filetree.File:
		e.Size = int64(d.number())
		if len(sums) < 2*digestSize {
			d.fail()
			return e, ""
		}
		e.SHA256, sums = sums[:2*digestSize], sums[2*digestSize:]
	case filetree.Dir:
	default:
		d.fail()
	}
	return e, sums
}

func (d *decoder) object() elf.Object {
	o := elf.Object{
		Arch: d.text(), Class: stdelf.Class(d.number()), Data: stdelf.Data(d.number()), Machine: stdelf.Machine(d.number()), Type: d.text(),
		SONAME: d.text(), Needed: d.list(), Rpath: d.list(), Runpath: d.list(), Interp: d.text(),
	}
	if n := d.count(); n > 0 {
		o.Versions = make([]elf.Need, n)
		for i := range o.Versions {
			o.Versions[i] = elf.Need{Library: d.text(), Versions: d.list(), Weak: d.list()}
		}
	}
	o.Defines = d.list()
	return o
}
