package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

const (
	gzipLevel = 6
	// gzipBlock is the size of a block in bytes; one goroutine compresses it.
	// The output depends on it, not on the number of goroutines.
	gzipBlock = 1 << 20
	// gzipWindow is the window size of deflate (RFC 1951), in bytes.
	gzipWindow = 32 << 10
)

// gzipHeader is the header of a member without name and time from an unknown
// operating system (RFC 1952).
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// gzipWriter writes one gzip member. Its blocks are compressed concurrently, each
// with the end of the previous one as dictionary. Close must be called.
type gzipWriter struct {
	out   io.Writer
	queue chan chan block // results in order; the capacity bounds the concurrent blocks
	done  chan error

	pending []byte
	dict    []byte
	crc     uint32
	size    uint32 // modulo 2^32 (RFC 1952)
	blocks  sync.Pool
	writers sync.Pool
}

// block is a compressed block.
type block struct {
	data *bytes.Buffer
	err  error
}

func newGzipWriter(out io.Writer, jobs int) *gzipWriter {
	z := &gzipWriter{out: out, queue: make(chan chan block, max(1, jobs)), done: make(chan error, 1)}
	z.blocks.New = func() any { return make([]byte, 0, gzipBlock) }
	z.writers.New = func() any { return new(bytes.Buffer) }
	z.pending = z.blocks.Get().([]byte)
	go z.drain()
	return z
}

// Write never fails; Close returns errors.
func (z *gzipWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(z.pending) == gzipBlock {
			z.dispatch(false)
		}
		k := min(len(p), gzipBlock-len(z.pending))
		z.pending = append(z.pending, p[:k]...)
		p = p[k:]
	}
	return n, nil
}

// Close writes the remaining input and the trailer.
func (z *gzipWriter) Close() error {
	z.dispatch(true)
	close(z.queue)
	if err := <-z.done; err != nil {
		return err
	}
	trailer := binary.LittleEndian.AppendUint32(nil, z.crc)
	trailer = binary.LittleEndian.AppendUint32(trailer, z.size)
	_, err := z.out.Write(trailer)
	return err
}

// dispatch compresses the pending input in a goroutine and starts a new block.
func (z *gzipWriter) dispatch(last bool) {
	data, dict := z.pending, z.dict
	z.crc = crc32.Update(z.crc, crc32.IEEETable, data)
	z.size += uint32(len(data))
	z.dict = bytes.Clone(data[max(0, len(data)-gzipWindow):])
	z.pending = z.blocks.Get().([]byte)[:0]
	result := make(chan block, 1)
	z.queue <- result
	go func() {
		buf := z.writers.Get().(*bytes.Buffer)
		buf.Reset()
		err := deflate(buf, data, dict, last)
		z.blocks.Put(data) //nolint:staticcheck // one small allocation per mebibyte
		result <- block{buf, err}
	}()
}

// drain writes the blocks in order. After an error it continues to receive, so
// that no sender blocks.
func (z *gzipWriter) drain() {
	_, err := z.out.Write(gzipHeader)
	for result := range z.queue {
		b := <-result
		if err == nil {
			err = b.err
		}
		if err == nil {
			_, err = z.out.Write(b.data.Bytes())
		}
		z.writers.Put(b.data)
	}
	z.done <- err
}

// deflate writes data as deflate blocks that end on a byte boundary.
func deflate(w io.Writer, data, dict []byte, last bool) error {
	fw, err := flate.NewWriterDict(w, gzipLevel, dict)
	if err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	if _, err := fw.Write(data); err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	if last {
		return fw.Close()
	}
	return fw.Flush()
}
