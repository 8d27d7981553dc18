package elf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/pgext/pgext/internal/elf/elftest"
)

// at32 and at64 overwrite little-endian numbers.
func at32(b []byte, off int, v uint32) { binary.LittleEndian.PutUint32(b[off:], v) }
func at64(b []byte, off int, v uint64) { binary.LittleEndian.PutUint64(b[off:], v) }

// Offsets into the amd64 files that elftest makes: PT_LOAD and PT_DYNAMIC are
// the first two program headers.
const (
	load, dyn                = 64, 64 + 56
	pOffset, pVaddr, pFilesz = 8, 16, 32
	tagStrtab, tagStrsz      = 5, 10
	tagVerneed, tagVerdef    = 0x6ffffffe, 0x6ffffffc
)

// tag returns where the value of a dynamic entry is.
func tag(b []byte, want uint64) int {
	for off := int(binary.LittleEndian.Uint64(b[dyn+pOffset:])); ; off += 16 {
		if binary.LittleEndian.Uint64(b[off:]) == want {
			return off + 8
		}
	}
}

func value(b []byte, want uint64) int { return int(binary.LittleEndian.Uint64(b[tag(b, want):])) }

func TestReadHostile(t *testing.T) {
	for _, tc := range []struct {
		name   string
		damage func(b []byte) []byte
		want   string
	}{
		{"magic only", func(b []byte) []byte { return b[:4] }, "header: truncated at 4 bytes"},
		{"half a header", func(b []byte) []byte { return b[:40] }, "header: truncated at 40 bytes"},
		{"class", func(b []byte) []byte { b[4] = 3; return b }, "header: unknown class 3"},
		{"byte order", func(b []byte) []byte { b[5] = 0; return b }, "header: unknown byte order 0"},
		{"program header size", func(b []byte) []byte { b[54] = 1; return b }, "header: program headers of 1 bytes, not 56"},
		{"program header count", func(b []byte) []byte { b[57] = 0xff; return b }, "more than 1024"},
		{"program headers beyond the end", func(b []byte) []byte { at64(b, 32, 1<<40); return b }, "program headers: number 0 is outside the file"},
		{"program headers wrap around", func(b []byte) []byte { at64(b, 32, ^uint64(0)-55); return b }, "program headers: number 0 is outside the file"},
		{"interpreter beyond the end", func(b []byte) []byte { at64(b, dyn+56+pOffset, 1<<50); return b }, "interpreter: outside the file"},
		{"interpreter not terminated", func(b []byte) []byte { at64(b, dyn+56+pFilesz, 3); return b }, "interpreter: not terminated"},
		{"dynamic section unmapped", func(b []byte) []byte { at64(b, dyn+pVaddr, 1<<50); return b }, "dynamic section: address 0x4000000000000 is not in the file"},
		{"mapping that wraps around", func(b []byte) []byte { at64(b, load+pOffset, ^uint64(0)-8); return b }, "dynamic section: address"},
		{"truncated dynamic section", func(b []byte) []byte { return b[:binary.LittleEndian.Uint64(b[dyn+pOffset:])+24] }, "dynamic section: entry 1 is outside the file"},
		{"string table unmapped", func(b []byte) []byte { at64(b, tag(b, tagStrtab), 1<<40); return b }, "string table: address 0x10000000000 is not in the file"},
		{"string beyond the table", func(b []byte) []byte { at64(b, tag(b, 1), 1<<63); return b }, "string table: offset 0x8000000000000000 is beyond"},
		{"string not terminated", func(b []byte) []byte { at64(b, tag(b, tagStrsz), uint64(value(b, 1)+5)); return b }, "is not terminated within"},
		{"version needs unmapped", func(b []byte) []byte { at64(b, tag(b, tagVerneed), 1<<40); return b }, "needed versions: address"},
		{"version need beyond the end", func(b []byte) []byte { at32(b, value(b, tagVerneed)+12, 1<<31); return b }, "needed versions: entry at offset"},
		{"version beyond the end", func(b []byte) []byte { at32(b, value(b, tagVerneed)+16+12, 1<<31); return b }, "needed versions: entry at offset"},
		{"version definition beyond the end", func(b []byte) []byte { at32(b, value(b, tagVerdef)+16, ^uint32(0)); return b }, "defined versions: entry at offset"},
		{"version name beyond the end", func(b []byte) []byte { at32(b, value(b, tagVerdef)+12, ^uint32(0)); return b }, "defined versions: name of the entry"},
		{"mapping beyond the end", func(b []byte) []byte { at64(b, load+pFilesz, 1<<30); return b }, "program headers: number 0 maps what is outside the file"},
		{"version definitions unmapped", func(b []byte) []byte { at64(b, tag(b, tagVerdef), 1<<40); return b }, "defined versions: address"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := read(tc.damage(elftest.Build(everything)))
			var format *FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Read() error = %v, want %q", err, tc.want)
			}
		})
	}
}

// A list whose every step is one byte is as long as the file: the number of
// entries is what must end it.
func TestReadEndlessList(t *testing.T) {
	b := elftest.Build(elftest.Spec{SONAME: "x", Defines: []string{"V"}, Stripped: true})
	start := (len(b) + 7) &^ 7
	// Words of four: whatever the field, the next entry is four bytes on.
	words := bytes.Repeat([]byte{4, 0, 0, 0}, 2<<16)
	b = append(append(b, make([]byte, start-len(b))...), words...)
	at64(b, load+pFilesz, uint64(len(b)))
	at64(b, tag(b, tagVerdef), uint64(start))
	_, err := read(b)
	if err == nil || !strings.Contains(err.Error(), "defined versions: more than 8192 entries") {
		t.Errorf("Read() error = %v, want a limit", err)
	}
}

func TestReadManyNames(t *testing.T) {
	needed := make([]string, 100)
	for i := range needed {
		needed[i] = strings.Repeat("n", 4000)
	}
	_, err := read(elftest.Build(elftest.Spec{Needed: needed}))
	if err == nil || !strings.Contains(err.Error(), "names of more than 262144 bytes") {
		t.Errorf("Read() error = %v, want a limit", err)
	}
}

// Whatever the bytes, Read neither panics nor takes long, and says the same
// twice.
func FuzzRead(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x7fELF"))
	for _, arch := range []string{"amd64", "armhf", "s390x", "powerpc"} {
		s := everything
		s.Arch, s.Stripped = arch, arch == "amd64"
		f.Add(elftest.Build(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := read(b)
		second, again := read(b)
		if (err == nil) != (again == nil) || len(first.Needed) != len(second.Needed) {
			t.Errorf("Read() differs the second time: %v, %v", err, again)
		}
		kept := len(first.SONAME)
		for _, n := range first.Needed {
			kept += len(n)
		}
		if kept > maxStrings {
			t.Errorf("Read() keeps %d bytes of names", kept)
		}
	})
}
