package decompress

import (
	"bytes"
	"io"
	"testing"

	"github.com/ulikunitz/xz"
)

// FuzzReader holds that nothing exceeds its limit, and that the sequential
// and the parallel reader agree.
func FuzzReader(f *testing.F) {
	for _, format := range packers {
		f.Add(uint8(format), compress(f, format, text(300)))
		f.Add(uint8(format), compress(f, format, nil))
	}
	f.Add(uint8(XZ), blocks(f, text(300), 100, xz.CRC32))
	f.Add(uint8(XZ), blocks(f, text(300), 50, xz.SHA256))
	f.Fuzz(func(t *testing.T, format uint8, packed []byte) {
		const limit = 1 << 16
		got, _ := read(t, packed, Format(format%4), Options{MaxSize: limit, MaxDict: 1 << 20})
		if len(got) > limit {
			t.Errorf("%d bytes, more than %d", len(got), limit)
		}
	})
}

// FuzzIndex holds that whatever an index says, its blocks lie inside the
// file.
func FuzzIndex(f *testing.F) {
	f.Add(blocks(f, text(300), 100, xz.CRC32))
	f.Add(compress(f, XZ, text(10)))
	f.Fuzz(func(t *testing.T, packed []byte) {
		s, err := readXZIndex(bytes.NewReader(packed), int64(len(packed)))
		if err != nil {
			return
		}
		for _, b := range s.blocks {
			if b.offset < xzHeaderSize || b.padded < b.unpadded || b.offset+b.padded > int64(len(packed)) || b.uncompressed < 0 {
				t.Errorf("block outside of the file: %+v", b)
			}
			if _, err := io.Copy(io.Discard, s.single(bytes.NewReader(packed), b)); err != nil {
				t.Error(err)
			}
		}
	})
}
