package decompress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Sizes from xz-file-format.txt 1.0.4.
const (
	xzHeaderSize = 12 // 2.1.1, and 2.1.2 for the footer
	xzMaxIndex   = 64 << 10
	xzMaxBlocks  = 4096
)

// errNoIndex means that a stream is read from its start: several streams,
// padding after it, or corruption, which the sequential decoder will name.
var errNoIndex = errors.New("no usable index")

// xzBlock is where one block of a stream lies and what its index record says.
type xzBlock struct {
	offset       int64
	unpadded     int64 // without Block Padding: what the record holds
	padded       int64
	uncompressed int64
}

// xzStream is a single .xz stream seen through its index.
type xzStream struct {
	header [xzHeaderSize]byte
	footer [xzHeaderSize]byte
	blocks []xzBlock
}

// readXZIndex reads the index at the end of a file of size bytes. It only
// accepts a file that is one stream whose parts account for every byte.
func readXZIndex(src io.ReaderAt, size int64) (*xzStream, error) {
	var s xzStream
	if size < 2*xzHeaderSize+8 {
		return nil, errNoIndex
	}
	if err := readFullAt(src, s.header[:], 0); err != nil {
		return nil, err
	}
	if err := readFullAt(src, s.footer[:], size-xzHeaderSize); err != nil {
		return nil, err
	}
	indexSize, ok := s.checkEnds()
	if !ok || indexSize < 8 || indexSize > xzMaxIndex || indexSize > size-2*xzHeaderSize {
		return nil, errNoIndex
	}
	index := make([]byte, indexSize)
	if err := readFullAt(src, index, size-xzHeaderSize-indexSize); err != nil {
		return nil, err
	}
	if !s.parseIndex(index, size-xzHeaderSize-indexSize) {
		return nil, errNoIndex
	}
	return &s, nil
}

func readFullAt(src io.ReaderAt, p []byte, at int64) error {
	n, err := src.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	return err
}

// checkEnds verifies Stream Header and Stream Footer and returns the size of
// the index.
func (s *xzStream) checkEnds() (indexSize int64, ok bool) {
	h, f := s.header[:], s.footer[:]
	ok = bytes.Equal(h[:6], formats[XZ].magic) &&
		crc32.ChecksumIEEE(h[6:8]) == binary.LittleEndian.Uint32(h[8:]) &&
		string(f[10:]) == "YZ" &&
		crc32.ChecksumIEEE(f[4:10]) == binary.LittleEndian.Uint32(f) &&
		bytes.Equal(f[8:10], h[6:8])
	return (int64(binary.LittleEndian.Uint32(f[4:])) + 1) * 4, ok
}

// parseIndex reads the records (xz-file-format.txt, 4) of the index that
// starts at end, where the blocks must stop.
func (s *xzStream) parseIndex(index []byte, end int64) bool {
	body := index[:len(index)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(index[len(body):]) || body[0] != 0 {
		return false
	}
	rest := body[1:]
	count, rest, ok := cutVLI(rest)
	if !ok || count > xzMaxBlocks {
		return false
	}
	s.blocks = make([]xzBlock, count)
	offset := int64(xzHeaderSize)
	for i := range s.blocks {
		b := xzBlock{offset: offset}
		if b.unpadded, rest, ok = cutVLI(rest); !ok || b.unpadded < 5 || b.unpadded > end {
			return false
		}
		if b.uncompressed, rest, ok = cutVLI(rest); !ok {
			return false
		}
		b.padded = (b.unpadded + 3) &^ 3
		offset += b.padded
		s.blocks[i] = b
	}
	return offset == end && len(rest) < 4 && len(bytes.Trim(rest, "\x00")) == 0
}

// cutVLI reads a multibyte integer (xz-file-format.txt, 1.2).
func cutVLI(p []byte) (n int64, rest []byte, ok bool) {
	for i := 0; i < len(p) && i < 9; i++ {
		n |= int64(p[i]&0x7f) << (7 * i)
		if p[i]&0x80 == 0 {
			return n, p[i+1:], i == 0 || p[i] != 0
		}
	}
	return 0, nil, false
}

// dictionary returns the size of the dictionary that the header of block b
// (xz-file-format.txt, 3.1) asks for. A decoder allocates it whatever the size
// of the block.
func (s *xzStream) dictionary(src io.ReaderAt, b xzBlock) (size int64, ok bool) {
	var buf [1024]byte
	header := buf[:min(b.unpadded, int64(len(buf)))]
	if readFullAt(src, header, b.offset) != nil || len(header) < 4*(int(header[0])+1) {
		return 0, false
	}
	flags, rest := header[1], header[2:4*(int(header[0])+1)]
	for _, sizeIsThere := range []bool{flags&0x40 != 0, flags&0x80 != 0} {
		if sizeIsThere {
			_, rest, _ = cutVLI(rest)
		}
	}
	for range flags&3 + 1 {
		id, after, _ := cutVLI(rest)
		n, properties, known := cutVLI(after)
		if !known || n > int64(len(properties)) {
			return 0, false
		}
		if id == 0x21 && n == 1 && properties[0] <= 40 { // LZMA2: 5.3.1
			bits := properties[0]
			return min(int64(2|bits&1)<<(bits/2+11), 1<<32-1), true
		}
		rest = properties[n:]
	}
	return 0, false
}

// single returns a stream that holds only block b, so that a decoder checks
// it against its record.
func (s *xzStream) single(src io.ReaderAt, b xzBlock) io.Reader {
	index := []byte{0, 1}
	index = binary.AppendUvarint(index, uint64(b.unpadded))
	index = binary.AppendUvarint(index, uint64(b.uncompressed))
	for len(index)%4 != 0 {
		index = append(index, 0)
	}
	index = binary.LittleEndian.AppendUint32(index, crc32.ChecksumIEEE(index))
	footer := binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1))
	footer = append(footer, s.footer[8:10]...)
	tail := binary.LittleEndian.AppendUint32(index, crc32.ChecksumIEEE(footer))
	tail = append(append(tail, footer...), "YZ"...)
	return io.MultiReader(
		bytes.NewReader(s.header[:]),
		io.NewSectionReader(src, b.offset, b.padded),
		bytes.NewReader(tail),
	)
}
