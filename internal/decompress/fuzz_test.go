package decompress

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
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
// file. The fuzzer writes the index, and the checksums are made to fit.
func FuzzIndex(f *testing.F) {
	packed := blocks(f, text(300), 100, xz.CRC32)
	f.Add([]byte{}, uint16(8))
	f.Add([]byte{0, 1, 8, 1, 0, 0, 0, 0}, uint16(8))
	f.Add(packed[len(packed)-12-16:len(packed)-12-4], uint16(len(packed)-24-16))
	f.Fuzz(func(t *testing.T, index []byte, size uint16) {
		for len(index)%4 != 0 {
			index = append(index, 0)
		}
		file := append(bytes.Clone(packed[:xzHeaderSize]), make([]byte, size)...)
		file = append(file, index...)
		file = binary.LittleEndian.AppendUint32(file, crc32.ChecksumIEEE(index))
		footer := binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4))
		footer = append(footer, packed[6:8]...)
		file = binary.LittleEndian.AppendUint32(file, crc32.ChecksumIEEE(footer))
		file = append(append(file, footer...), "YZ"...)

		s, err := readXZIndex(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		end := int64(xzHeaderSize)
		for _, b := range s.blocks {
			if b.offset != end || b.padded < b.unpadded || b.uncompressed < 0 {
				t.Errorf("block after %d: %+v", end, b)
			}
			end = b.offset + b.padded
			if _, err := io.Copy(io.Discard, s.single(bytes.NewReader(file), b)); err != nil {
				t.Error(err)
			}
		}
		if end != xzHeaderSize+int64(size) {
			t.Errorf("the blocks end at %d of %d", end, xzHeaderSize+int(size))
		}
	})
}
