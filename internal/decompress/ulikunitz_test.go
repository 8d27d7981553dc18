package decompress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"runtime"
	"testing"

	"github.com/ulikunitz/xz"
)

// TestClaimedDictionary is what DEPENDENCIES.md says of two decoders: one
// allocates the dictionary that a block header claims, the other refuses it.
func TestClaimedDictionary(t *testing.T) {
	const claimed = 64 << 20
	packed := claim(t, compress(t, XZ, []byte("hello")), 28)
	if got := allocated(func() error { return decodeTheirs(packed) }); got < claimed {
		t.Errorf("ulikunitz/xz allocated %d bytes of the %d that the header claims", got, claimed)
	}
	var err error
	got := allocated(func() error { _, err = read(t, packed, XZ, Options{MaxDict: 1 << 20}); return err })
	var limit *LimitError
	if !errors.As(err, &limit) || got > claimed/8 {
		t.Errorf("read() error = %v after %d bytes were allocated, want a *LimitError after few", err, got)
	}
}

// claim returns an .xz stream whose blocks ask for a dictionary of 2^11 bytes
// and more, by the bits of xz-file-format.txt, 5.3.1: 28 is 64 MiB.
func claim(t *testing.T, packed []byte, bits byte) []byte {
	t.Helper()
	stream, err := readXZIndex(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(packed)
	for _, b := range stream.blocks {
		header := out[b.offset:][:4*(int(out[b.offset])+1)]
		i := bytes.Index(header, []byte{0x21, 1}) // the LZMA2 filter and the size of its properties
		if i < 0 {
			t.Fatalf("block header %x has no LZMA2 filter", header)
		}
		header[i+2] = bits
		binary.LittleEndian.PutUint32(header[len(header)-4:], crc32.ChecksumIEEE(header[:len(header)-4]))
	}
	return out
}

func decodeTheirs(packed []byte) error {
	r, err := xz.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return err
}

// allocated returns how many bytes are allocated while f runs.
func allocated(f func() error) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_ = f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
