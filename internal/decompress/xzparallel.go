package decompress

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/mikelolasagasti/xz"
)

const (
	// maxParallelBlock is the largest block, in bytes of output, that is worth
	// holding; dpkg-deb's have 24 MiB.
	maxParallelBlock = 64 << 20
	// chunkSize is the unit in which blocks travel to the reader.
	chunkSize = 256 << 10
)

// parallel decodes the blocks of one .xz stream in several goroutines and
// hands them out in order. Up to jobs blocks are decoded or waiting at any
// time; the first of them flows to the reader while it is being decoded.
type parallel struct {
	src     io.ReaderAt
	stream  *xzStream
	options Options

	jobs     int
	portion  int64         // of the budget, a job
	window   chan struct{} // holds a token for each block begun and not yet read to its end
	next     atomic.Int64  // the first block nobody has begun
	done     chan struct{} // closed when nobody will read on
	stop     func()
	workers  sync.WaitGroup
	spare    chan []byte
	decoding []blockOutput

	current int    // the block being read
	chunk   []byte // what is left of the chunk being read
	whole   []byte // that chunk
	left    int64  // of MaxSize
	err     error
}

// blockOutput carries one decoded block. err is set before chunks is closed.
type blockOutput struct {
	chunks chan []byte
	err    error
}

// newParallel returns nil when src has to be decoded sequentially.
func newParallel(src io.ReaderAt, size int64, o Options) *parallel {
	stream, err := readXZIndex(src, size)
	if err != nil || len(stream.blocks) < 2 {
		return nil
	}
	var largest, dictionary int64 = 1, 1
	for _, b := range stream.blocks {
		asked, ok := stream.dictionary(src, b)
		if !ok || asked > int64(o.MaxDict) {
			return nil
		}
		largest, dictionary = max(largest, b.uncompressed), max(dictionary, asked)
	}
	if largest > maxParallelBlock {
		return nil
	}
	// A block waits as output, and its decoder has a dictionary.
	portion := largest + max(largest, dictionary) + chunkSize
	jobs := o.Budget.take(min(o.Jobs, len(stream.blocks)), portion)
	if jobs < 2 {
		o.Budget.give(jobs, portion)
		return nil
	}
	r := &parallel{
		src: src, stream: stream, options: o,
		jobs: jobs, portion: portion,
		window:   make(chan struct{}, jobs),
		done:     make(chan struct{}),
		spare:    make(chan []byte, 2*jobs),
		decoding: make([]blockOutput, len(stream.blocks)),
		left:     o.MaxSize,
	}
	r.stop = sync.OnceFunc(r.shutDown)
	for i, b := range stream.blocks {
		r.decoding[i].chunks = make(chan []byte, b.uncompressed/chunkSize+1)
	}
	for range jobs {
		r.workers.Go(r.work)
	}
	return r
}

// shutDown ends all goroutines and returns the memory.
func (r *parallel) shutDown() {
	close(r.done)
	r.workers.Wait()
	r.decoding, r.chunk, r.whole, r.spare = nil, nil, nil, nil
	r.options.Budget.give(r.jobs, r.portion)
}

// work decodes one block after the other, in their order.
func (r *parallel) work() {
	var decoder *xz.Reader
	for {
		select {
		case <-r.done:
			return
		case r.window <- struct{}{}:
		}
		i := int(r.next.Add(1)) - 1
		if i >= len(r.decoding) {
			return
		}
		var err error
		decoder, err = r.decode(decoder, i)
		r.decoding[i].err = err
		close(r.decoding[i].chunks)
		if err != nil {
			return
		}
	}
}

// decode sends the chunks of block i. It returns the decoder, made when there
// was none, because its dictionary can serve again.
func (r *parallel) decode(decoder *xz.Reader, i int) (*xz.Reader, error) {
	block := r.stream.blocks[i]
	src := &source{r: r.stream.single(r.src, block)}
	var err error
	if decoder == nil {
		decoder, err = xz.NewReader(src, r.options.MaxDict)
	} else {
		err = decoder.Reset(src)
	}
	if err != nil {
		return nil, src.explain(err, XZ, r.options)
	}
	for left := block.uncompressed; ; {
		chunk := r.newChunk()
		n, err := io.ReadFull(decoder, chunk)
		if left -= int64(n); left < 0 {
			return nil, fmt.Errorf("%w xz stream: block %d is larger than in the index", ErrCorrupt, i+1)
		}
		ended := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !ended {
			return nil, src.explain(err, XZ, r.options)
		}
		if n > 0 && !r.send(i, chunk[:n]) {
			return nil, os.ErrClosed
		}
		if ended {
			return decoder, nil // and the decoder has checked the record
		}
	}
}

func (r *parallel) newChunk() []byte {
	select {
	case chunk := <-r.spare:
		return chunk
	default:
		return make([]byte, chunkSize)
	}
}

func (r *parallel) send(i int, chunk []byte) bool {
	select {
	case <-r.done:
		return false
	case r.decoding[i].chunks <- chunk:
		return true
	}
}

// Read implements io.Reader.
func (r *parallel) Read(p []byte) (int, error) {
	for r.err == nil && len(r.chunk) == 0 {
		r.advance()
	}
	if r.err != nil {
		return 0, r.err
	}
	n := copy(p, r.chunk)
	if int64(n) > r.left {
		n = int(r.left)
		r.fail(&LimitError{"size", r.options.MaxSize})
		return n, r.err
	}
	r.left -= int64(n)
	r.chunk = r.chunk[n:]
	return n, nil
}

// advance takes the next chunk, or sets err.
func (r *parallel) advance() {
	if r.whole != nil {
		select {
		case r.spare <- r.whole[:chunkSize]:
		default:
		}
		r.whole = nil
	}
	if r.current == len(r.decoding) {
		r.fail(io.EOF)
		return
	}
	output := &r.decoding[r.current]
	if chunk, ok := <-output.chunks; ok {
		r.chunk, r.whole = chunk, chunk
		return
	}
	if output.err != nil {
		r.fail(output.err)
		return
	}
	r.current++
	<-r.window
}

func (r *parallel) fail(err error) {
	r.err = err
	r.stop()
}

// Close implements io.Closer; it returns when no goroutine is left.
func (r *parallel) Close() error {
	r.stop()
	if !errors.Is(r.err, os.ErrClosed) {
		r.err = os.ErrClosed
	}
	return nil
}
